/** The examples on which teacher and student differ although both are sure. */
import type { Answers } from "./evaluation.ts";

export interface Answer {
  readonly predicted: number;
  readonly confidence: number;
}

export interface Dispute {
  /** In the evaluation split. */
  readonly example: number;
  readonly label: number;
  readonly teacher: Answer;
  readonly student: Answer;
}

const shown = 24;

/** By the confidence of the less sure of the two, the highest first; at most so many. */
export function disputes(teacher: Answers, student: Answers, most = shown): readonly Dispute[] {
  const found: Dispute[] = [];
  const answer = ({ predictions, confidences }: Answers, example: number): Answer => ({
    predicted: predictions[example]!,
    confidence: confidences[example]!,
  });
  student.labels.forEach((label, example) => {
    if (student.predictions[example] === teacher.predictions[example]) return;
    found.push({ example, label, teacher: answer(teacher, example), student: answer(student, example) });
  });
  const both = (dispute: Dispute) => Math.min(dispute.teacher.confidence, dispute.student.confidence);
  return found.sort((a, b) => both(b) - both(a) || a.example - b.example).slice(0, most);
}

/** Do teacher, student and dataset speak of the same classes? */
import type { Finding } from "./finding.ts";

/** A model as it was built for the dataset, or why it could not be. */
export interface BuiltModel {
  readonly role: "teacher" | "student";
  readonly problem: string | null;
}

/** @param labels of many training examples, at least 20 per class for what never occurs to count */
export function modelsFit(models: readonly BuiltModel[], labels: Int32Array, classes: number): Finding {
  const problems = models.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) {
    return { check: "models", severity: "refusal", message: problems.join("; "), evidence: { classes } };
  }
  const occurring = new Set(labels);
  const absent = Array.from({ length: classes }, (_, each) => each).filter((each) => !occurring.has(each));
  const evidence = { classes, labels: labels.length, occurring: occurring.size };
  if (absent.length > 0 && labels.length >= 20 * classes) {
    const told = absent.length > 5 ? `${absent.slice(0, 5).join(", ")}, …` : absent.join(", ");
    const message = `of ${classes} classes ${absent.length} never occur among ${labels.length} training labels (${told}): dataset.classes may be too large`;
    return { check: "models", severity: "warning", message, evidence };
  }
  const roles = models.map(({ role }) => `the ${role}`).join(" and ");
  return {
    check: "models",
    severity: "ok",
    message: `the dataset's ${classes} classes are those of ${roles}`,
    evidence,
  };
}

/** What happened: terms and faults in time, checkpoints, and the coordinator's log. */
import type { Line, Mark } from "../../../core/live/history.ts";
import { bytesText, counted, whole } from "../../../core/words.ts";
import { modelOfStage } from "../../report/models.ts";
import { byId, clockTime, fill, fillRows, setAttribute, setText } from "./dom.ts";
import type { Model } from "./model.ts";

const spans = (count: number) => () => {
  const item = document.createElement("li");
  item.append(...Array.from({ length: count }, () => document.createElement("span")));
  return item;
};

export function showTimeline({ history: { facts } }: Model): void {
  const { marks, faults, marksForgotten, started } = facts;
  const earlier =
    marksForgotten > 0 ? ` The first ${whole.format(marksForgotten)} entries are in events.jsonl only.` : "";
  setText(
    byId("faults"),
    `${faults === 0 ? "Nothing went wrong." : `${counted(faults, "fault")} survived.`}${earlier}`,
  );
  const fromMs = marksForgotten > 0 ? marks[0]!.atMs : (started?.atMs ?? 0);
  const toMs = Math.max(fromMs + 1_000, marks.at(-1)?.atMs ?? 0, facts.lines.at(-1)?.atMs ?? 0);
  fill(byId("strip"), marks, {
    make: () => document.createElement("i"),
    show(mark, { atMs, kind }) {
      mark.className = kind;
      (mark as HTMLElement).style.left = `${((100 * (atMs - fromMs)) / (toMs - fromMs)).toFixed(2)}%`;
    },
  });
  fill(byId("marks"), marks.toReversed(), { make: spans(3), show: showMark });
}

function showMark(item: Element, { atMs, kind, what, why }: Mark): void {
  setAttribute(item, "class", kind);
  setText(item.children[0]!, clockTime(atMs));
  setText(item.children[1]!, what);
  setText(item.children[2]!, why);
}

export function showCheckpoints({ history: { facts } }: Model): void {
  const rows = facts.checkpoints
    .toReversed()
    .map(({ stage, step, atMs, bytes, folder }) => [
      ...[modelOfStage[stage], whole.format(step), clockTime(atMs), bytesText(bytes), folder],
    ]);
  byId("checkpointsSection").hidden = rows.length === 0;
  fillRows(byId("checkpointRows"), rows);
}

/** Follows the end, unless somebody scrolled away from it. */
export function showLog({ history: { facts } }: Model): void {
  const box = byId("lines");
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 8;
  const wanted = byId<HTMLInputElement>("logFilter").value.toLowerCase();
  const isFaultsOnly = byId<HTMLInputElement>("logFaults").checked;
  const isShown = ({ level, text }: Line) =>
    (!isFaultsOnly || level === "fault") && text.toLowerCase().includes(wanted);
  fill(box, facts.lines.filter(isShown), {
    make: spans(2),
    show(item, { atMs, level, text }) {
      setAttribute(item, "class", level);
      setText(item.children[0]!, clockTime(atMs));
      setText(item.children[1]!, text);
    },
  });
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

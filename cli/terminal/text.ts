/** Text for a terminal, which takes as many columns as it should. */
import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Cut to so many columns at most; an ellipsis says that something is missing. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return columns < 1 ? "" : `${kept}…`;
}

/** Of exactly so many columns. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const short = cut(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - stringWidth(short)));
  return align === "left" ? short + blanks : blanks + short;
}

const heights = "▁▂▃▄▅▆▇█";

/** The last values that fit, a column each, from the least to the greatest of them; what is no number is a gap. */
export function sparkline(values: readonly (number | null)[], columns: number): string {
  const shown = values.slice(-columns);
  const finite = shown.filter((value): value is number => value !== null && Number.isFinite(value));
  const [least, greatest] = [Math.min(...finite), Math.max(...finite)];
  const height = (value: number) =>
    greatest === least ? 0 : Math.round(((value - least) / (greatest - least)) * (heights.length - 1));
  return shown.map((value) => (value !== null && Number.isFinite(value) ? heights[height(value)] : " ")).join("");
}

/** @param share in [0, 1] */
export function bar(share: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return "█".repeat(full) + "░".repeat(columns - full);
}

/** Local time of day. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

/** Local date and time. */
export function dateAndTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeOfDay(atMs)}`;
}

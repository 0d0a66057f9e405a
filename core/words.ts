/** Numbers as people read them: the same on every machine, whatever its language. */

export const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

/** What is not finite is null where it has been JSON. */
export function fixed(value: number | null, digits: number): string {
  return value !== null && Number.isFinite(value) ? value.toFixed(digits) : "–";
}

export function bytesText(bytes: number): string {
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** To what a chart shows. */
export function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  const all = Math.round(seconds);
  const minutes = Math.floor(all / 60);
  return minutes < 60 ? `${minutes} min ${all % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Of a short time. */
export function milliseconds(seconds: number): string {
  const ms = seconds * 1_000;
  return `${ms < 999.5 ? ms.toPrecision(3) : ms.toFixed(0)} ms`;
}

/** What somebody else wrote, short enough to stand in a sentence. */
export function excerpt(text: string, most = 100): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

/** `1 teacher`, `2 teachers` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

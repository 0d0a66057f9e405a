/** The terminal while a command has all of it: its other screen, keys one by one, and all as it was in the end. */
import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import pc from "picocolors";
import type { Line, Size, Style } from "./topview.ts";

export interface Screen {
  size(): Size;
  /** Rewrites the rows that are not as they were. */
  draw(lines: readonly Line[]): void;
  /** Gives the terminal back, once. */
  close(): void;
}

export interface ScreenEvents {
  /** `q`, `up`, `pagedown`, `ctrl-c`. */
  onKey(key: string): void;
  onResize(): void;
}

const csi = "\u001b[";
const enter = `${csi}?1049h${csi}?25l`;
const leave = `${csi}?25h${csi}?1049l`;
/** Where no terminal says its own. */
export const usualSize: Size = { columns: 80, rows: 24 };
/** Terminals that know them show all between the two at once; others pass over them. */
const [beginFrame, endFrame] = [`${csi}?2026h`, `${csi}?2026l`];

const styles: Readonly<Record<Style, (text: string) => string>> = {
  bold: pc.bold,
  dim: pc.dim,
  inverse: pc.inverse,
  warning: pc.yellow,
  normal: (text) => text,
};

/** @param input keys are read where it is a terminal */
export function openScreen(input: ReadStream, output: WriteStream, { onKey, onResize }: ScreenEvents): Screen {
  let shown: string[] = [];
  let isOpen = true;
  const keypress = (text: string | undefined, { name, ctrl }: Key) =>
    onKey(ctrl ? `ctrl-${name}` : (name ?? text ?? ""));
  const resize = () => {
    shown = [];
    output.write(`${csi}2J`);
    onResize();
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off("exit", close);
    output.off("resize", resize);
    input.off("keypress", keypress);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
    output.write(leave);
  };
  // Also where something throws: a terminal is written to at once.
  process.on("exit", close);
  output.on("resize", resize);
  output.write(enter);
  if (input.isTTY) {
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on("keypress", keypress);
    input.resume();
  }
  return {
    size: () => ({ columns: output.columns || usualSize.columns, rows: output.rows || usualSize.rows }),
    draw(lines) {
      if (!isOpen) return;
      const next = lines.map(({ text, style }) => styles[style](text));
      const changed = next.flatMap((text, row) => (text === shown[row] ? [] : [`${csi}${row + 1};1H${text}`]));
      const gone = next.length < shown.length ? [`${csi}${next.length + 1};1H${csi}J`] : [];
      shown = next;
      if (changed.length + gone.length > 0) output.write([beginFrame, ...changed, ...gone, endFrame].join(""));
    },
    close,
  };
}

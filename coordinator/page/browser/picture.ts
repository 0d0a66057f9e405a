/** The workers as a picture: lanes coloured by who holds them, teachers and those that wait beneath. One canvas, for any number. */
import type { WorkerRow } from "../../../core/live/message.ts";
import { themeColour } from "../../report/plot.ts";

export interface Crew {
  readonly lanes: number;
  /** With lanes, in their order. */
  readonly students: readonly WorkerRow[];
  readonly teachers: readonly WorkerRow[];
  /** Students that hold no lanes. */
  readonly others: readonly WorkerRow[];
}

interface Block {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly worker: WorkerRow;
}

const studentColours = [1, 2, 3, 4];
const titleHeight = 20;
const gap = 14;
const fewLanes = 64;
const namedBlocks = 24;

/** The number of a worker's colour: neighbours among the lanes differ. */
export function colourOf({ students }: Crew, worker: WorkerRow): number {
  if (worker.role === "teacher") return 0;
  const at = students.indexOf(worker);
  return at < 0 ? 5 : studentColours[at % studentColours.length]!;
}

export class Picture {
  readonly #canvas: HTMLCanvasElement;
  #blocks: Block[] = [];

  /** @param picked is told who is pointed at */
  constructor(canvas: HTMLCanvasElement, picked: (worker: WorkerRow) => void) {
    this.#canvas = canvas;
    canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
      const block = this.#blocks.find(
        ({ x, y, width, height }) => offsetX >= x && offsetX < x + width && offsetY >= y && offsetY < y + height,
      );
      if (block) picked(block.worker);
    });
  }

  draw(crew: Crew): void {
    const width = this.#canvas.parentElement!.clientWidth;
    const laid = [
      { title: "lanes", blocks: laneBlocks(crew, width) },
      { title: "teachers", blocks: otherBlocks(crew.teachers, width) },
      { title: "without lanes", blocks: otherBlocks(crew.others, width) },
    ].filter(({ blocks }) => blocks.length > 0);
    const bottom = (blocks: readonly Block[]) => blocks.reduce((most, { y, height }) => Math.max(most, y + height), 0);
    const height = laid.reduce((sum, { blocks }) => sum + titleHeight + bottom(blocks) + gap, 0);
    const pen = this.#sized(width, Math.max(1, height));
    this.#blocks = [];
    let top = 0;
    for (const { title, blocks } of laid) {
      pen.fillStyle = themeColour("soft");
      pen.font = "12px system-ui, sans-serif";
      pen.fillText(title, 0, top + 12);
      const placed = blocks.map((block) => ({ ...block, y: block.y + top + titleHeight }));
      for (const block of placed) paint(pen, block, themeColour(`c${colourOf(crew, block.worker)}`));
      name(pen, placed);
      this.#blocks.push(...placed);
      top += titleHeight + bottom(blocks) + gap;
    }
  }

  #sized(width: number, height: number): CanvasRenderingContext2D {
    const canvas = this.#canvas;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d")!;
    pen.scale(ratio, ratio);
    return pen;
  }
}

/** A cell for each lane: in one row, or where there are many, in as many as they need. */
function laneBlocks({ lanes, students }: Crew, width: number): Block[] {
  if (students.length === 0) return [];
  const side =
    lanes <= fewLanes ? width / lanes : Math.max(7, Math.min(22, Math.floor(Math.sqrt((width * 180) / lanes))));
  const columns = Math.max(1, Math.round(lanes <= fewLanes ? lanes : Math.floor(width / side)));
  const height = lanes <= fewLanes ? 44 : side;
  return students.flatMap((worker) =>
    Array.from({ length: worker.lanes }, (_, at) => {
      const lane = worker.firstLane + at;
      return { x: (lane % columns) * side, y: Math.floor(lane / columns) * height, width: side, height, worker };
    }),
  );
}

function otherBlocks(workers: readonly WorkerRow[], width: number): Block[] {
  const isNamed = workers.length <= namedBlocks;
  const columns = isNamed ? Math.max(1, Math.min(workers.length, Math.floor(width / 130))) : Math.floor(width / 16);
  const side = isNamed ? Math.min(200, width / columns) : 16;
  const height = isNamed ? 36 : 16;
  return workers.map((worker, at) => ({
    ...{ x: (at % columns) * side, y: Math.floor(at / columns) * height, width: side, height, worker },
  }));
}

/** Pale where the worker waits or gets ready, outlined where it is silent. */
function paint(pen: CanvasRenderingContext2D, { x, y, width, height, worker }: Block, colour: string): void {
  pen.globalAlpha = worker.state === "working" ? 1 : 0.45;
  pen.fillStyle = colour;
  pen.fillRect(x + 1, y + 1, Math.max(1, width - 2), Math.max(1, height - 2));
  pen.globalAlpha = 1;
  if (worker.silentSeconds === 0) return;
  pen.strokeStyle = themeColour("bad");
  pen.lineWidth = 2;
  pen.strokeRect(x + 2, y + 2, width - 4, height - 4);
}

/** Each worker once, over its neighbouring cells, where its name has room. */
function name(pen: CanvasRenderingContext2D, blocks: readonly Block[]): void {
  pen.fillStyle = themeColour("ground");
  pen.font = "600 12px system-ui, sans-serif";
  for (let at = 0; at < blocks.length; ) {
    const { x, y, height, worker } = blocks[at]!;
    let end = at;
    while (blocks[end + 1]?.worker === worker && blocks[end + 1]!.y === y) end += 1;
    const width = blocks[end]!.x + blocks[end]!.width - x;
    if (height > 30 && pen.measureText(worker.worker).width < width - 16) {
      pen.fillText(worker.worker, x + 9, y + height / 2 + 4);
    }
    at = end + 1;
  }
}

/** A live chart: uPlot draws, a legend beneath tells the values at the pointer, or the newest. */
import type UPlot from "uplot";
import { plotAxes, plotHeight, plotSeries, plotValue, themeColour } from "../../report/plot.ts";
import { fill, setText } from "./dom.ts";

declare const uPlot: typeof UPlot;

export interface LiveSeries {
  readonly name: string;
  /** Number of its colour. */
  readonly colour: number;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Extremes around `y`, where a point stands for many. */
  readonly least?: readonly (number | null)[];
  readonly most?: readonly (number | null)[];
}

export class LiveChart {
  readonly figure: HTMLElement = document.createElement("figure");
  readonly #frame: HTMLElement = document.createElement("div");
  readonly #legend: HTMLElement = document.createElement("p");
  #plot: UPlot | null = null;
  #drawn = "";
  #series: readonly LiveSeries[] = [];
  #isSeen = true;

  constructor(title: string) {
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    this.figure.className = "chart";
    this.#legend.className = "legend";
    // What is drawn is in the table of the newest values, too.
    this.#frame.setAttribute("aria-hidden", "true");
    this.figure.append(caption, this.#frame, this.#legend);
    // To draw is most of what a page costs: what is scrolled away waits until it is seen.
    new IntersectionObserver(([entry]) => {
      this.#isSeen = entry!.isIntersecting;
      if (this.#isSeen) this.#plot?.setData(this.#data());
    }).observe(this.figure);
  }

  /** Shows these; nothing where none has a point. */
  show(series: readonly LiveSeries[]): void {
    this.#series = series.filter(({ y }) => y.some((value) => value !== null));
    this.figure.hidden = this.#series.length === 0;
    if (this.figure.hidden) return;
    const drawn = this.#series.map(({ name, colour }) => `${name}/${colour}`).join();
    if (!this.#plot || drawn !== this.#drawn) this.redraw();
    else if (this.#isSeen) this.#plot.setData(this.#data());
    this.#drawn = drawn;
    this.#tell(null);
  }

  /** With the colours of the page as they are now. */
  redraw(): void {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#series.length === 0) return;
    const edge = { label: "", points: { show: false }, spanGaps: true };
    const options: UPlot.Options = {
      ...{ width: this.#width, height: plotHeight, scales: { x: { time: false } }, axes: plotAxes() },
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      series: [
        { label: "epoch" },
        ...this.#series.flatMap(({ name, colour }) => [
          { ...plotSeries(name, colour), points: { size: 5 } },
          edge,
          edge,
        ]),
      ],
      bands: this.#series.map(({ colour }, at) => ({
        series: [3 * at + 3, 3 * at + 2],
        fill: `color-mix(in srgb, ${themeColour(`c${colour}`)} 22%, transparent)`,
      })),
      hooks: { setCursor: [({ cursor: { idx } }) => this.#tell(idx ?? null)] },
    };
    this.#plot = new uPlot(options, this.#data(), this.#frame);
  }

  resize(): void {
    if (this.#plot && this.#plot.width !== this.#width) this.#plot.setSize({ width: this.#width, height: plotHeight });
  }

  get #width(): number {
    return Math.max(200, this.figure.clientWidth);
  }

  /** Curves of several stages have their points at other places. */
  #data(): UPlot.AlignedData {
    const tables = this.#series.map(
      ({ x, y, least = y, most = y }) => [[...x], [...y], [...least], [...most]] as UPlot.AlignedData,
    );
    return tables.length === 1 ? tables[0]! : uPlot.join(tables);
  }

  /** @param at index of a point; null for the newest of each */
  #tell(at: number | null): void {
    const column = (each: number) => (this.#plot?.data[3 * each + 1] ?? []) as (number | null | undefined)[];
    const epoch = at === null ? undefined : this.#plot?.data[0][at];
    const items = this.#series.map(({ name, colour, y }, each) => {
      const value = at === null ? y.findLast((known) => known !== null) : column(each)[at];
      return { name, colour, text: plotValue(value) };
    });
    fill(this.#legend, items, {
      make() {
        const item = document.createElement("span");
        item.append(document.createElement("i"), document.createElement("b"));
        item.insertBefore(document.createTextNode(""), item.lastChild);
        return item;
      },
      show(item, { name, colour, text }) {
        item.children[0]!.className = `c${colour}`;
        item.childNodes[1]!.nodeValue = `${name} `;
        setText(item.children[1]!, text);
      },
    });
    this.#legend.title = epoch === undefined ? "the newest" : `epoch ${plotValue(epoch)}`;
  }
}

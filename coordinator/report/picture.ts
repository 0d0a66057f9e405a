/** An example as the page shows it. */
import { encode } from "fast-png";
import type { Picture } from "../../core/report.ts";
import { html, type Markup } from "./html.ts";

/** @param text in place of the picture */
export function pictureMarkup({ shape, pixels, values }: Picture, text: string): Markup {
  if (pixels === "") {
    const shown = values.map((value) => Number(value.toPrecision(4))).join(", ");
    const isCut = values.length < shape[0]!;
    return html`<code>${shown}${isCut ? ", …" : ""}</code>`;
  }
  const [height, width, channels] = shape as [number, number, number];
  const data = Uint8Array.from(Buffer.from(String(pixels), "base64"));
  const isWhole =
    shape.every((side) => Number.isInteger(side) && side > 0) && data.length === height * width * channels;
  if (!isWhole) throw new Error(`a picture of [${shape.join(", ")}] has ${data.length} bytes`);
  const png = encode({ width, height, channels, data });
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img src="${source}" width="${width}" height="${height}" alt="${text}">`;
}

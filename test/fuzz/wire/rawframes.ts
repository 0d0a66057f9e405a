/** Frames of HTTP/2 as bytes, for what must arrive together. RFC 9113, and literals of RFC 7541 without Huffman's code. */

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const types = { data: 0, headers: 1, reset: 3, settings: 4 } as const;

export function frame(type: keyof typeof types, flags: number, stream: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(types[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export const settings = frame("settings", 0, 0, Buffer.alloc(0));
const endHeaders = 4;

export function headers(stream: number, path: string, contentType: string): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "x",
    ":path": path,
    "content-type": contentType,
  };
  return frame("headers", endHeaders, stream, Buffer.concat(Object.entries(fields).map(literal)));
}

export function reset(stream: number, code: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(code);
  return frame("reset", 0, stream, body);
}

/** Neither indexed nor coded; names and values below 127 bytes. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}

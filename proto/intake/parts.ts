/**
 * A message's parts are counted before it is decoded. A part of two bytes becomes an object of hundreds, so what bounds a
 * message's size does not bound what it costs: 64 MiB of empty pictures would be more than a process has.
 */
import type { PackageDefinition } from "@grpc/proto-loader";
import { LimbeckError } from "../../core/errors.ts";

/** Fields and elements, of all levels: more than any message of ours has. */
export const mostParts = 2 ** 16;
/** UTF-8, of one text. */
export const longestText = 2 ** 20;

type Kind = "varint" | "four" | "eight" | "text" | "bytes" | "message";

interface Field {
  readonly kind: Kind;
  readonly isRepeated: boolean;
  /** Name of the message. */
  readonly of: string;
}

type Shape = ReadonlyMap<number, Field>;

/** As proto-loader gives it: google.protobuf.DescriptorProto. */
interface Descriptor {
  readonly type: {
    readonly name: string;
    readonly field: readonly { number: number; label: string; type: string; typeName: string }[];
  };
}

/** Knows the messages of a package. */
export class Parts {
  readonly #shapes: ReadonlyMap<string, Shape>;

  constructor(definition: PackageDefinition) {
    const all = Object.values(definition) as unknown as Partial<Descriptor>[];
    const messages = all.filter((each): each is Descriptor => each.type?.field !== undefined);
    this.#shapes = new Map(messages.map(({ type }) => [type.name, shapeOf(type)]));
  }

  /** @param message its name, without the package @throws LimbeckError `corrupt` */
  check(message: string, bytes: Uint8Array): void {
    new Walk(this.#shapes, bytes).message(message, bytes.length);
  }
}

function shapeOf({ field }: Descriptor["type"]): Shape {
  return new Map(
    field.map(({ number, label, type, typeName }) => {
      const of = typeName.slice(typeName.lastIndexOf(".") + 1);
      return [number, { kind: kinds[type] ?? "varint", isRepeated: label === "LABEL_REPEATED", of }];
    }),
  );
}

const kinds: Readonly<Record<string, Kind>> = {
  TYPE_MESSAGE: "message",
  TYPE_STRING: "text",
  TYPE_BYTES: "bytes",
  TYPE_DOUBLE: "eight",
  TYPE_FIXED64: "eight",
  TYPE_SFIXED64: "eight",
  TYPE_FLOAT: "four",
  TYPE_FIXED32: "four",
  TYPE_SFIXED32: "four",
};

const [lengthDelimited, startGroup, endGroup] = [2, 3, 4];

/** Reads as protobufjs does: a known field by what it is, whatever the wire says. What is cut off the decoder finds. */
class Walk {
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #bytes: Uint8Array;
  #at = 0;
  #parts = 0;

  constructor(shapes: ReadonlyMap<string, Shape>, bytes: Uint8Array) {
    this.#shapes = shapes;
    this.#bytes = bytes;
  }

  message(name: string, end: number): void {
    const shape = this.#shapes.get(name);
    while (this.#at < end) {
      this.#count(1);
      const tag = this.#varint();
      this.#field(shape?.get(tag >>> 3), tag & 7, end);
    }
    this.#at = end;
  }

  #field(field: Field | undefined, wire: number, end: number): void {
    if (!field) {
      this.#unknown(wire);
    } else if (field.kind === "message") {
      const length = this.#varint();
      this.message(field.of, Math.min(end, this.#at + length));
    } else if (field.kind === "text" || field.kind === "bytes") {
      const length = this.#varint();
      if (field.kind === "text" && length > longestText)
        throw new LimbeckError("corrupt", `a text of ${length} bytes came, the longest may have ${longestText}`);
      this.#at += length;
    } else if (field.isRepeated && wire === lengthDelimited) {
      const length = this.#varint();
      this.#count(Math.min(length, end - this.#at));
      this.#at += length;
    } else {
      this.#number(field.kind);
    }
  }

  #unknown(wire: number): void {
    if (wire === startGroup || wire === endGroup) throw new LimbeckError("corrupt", "a group came: no message has any");
    if (wire === lengthDelimited) this.#at += this.#varint();
    else this.#number(wire === 1 ? "eight" : wire === 5 ? "four" : "varint");
  }

  #number(kind: Kind): void {
    if (kind === "eight") this.#at += 8;
    else if (kind === "four") this.#at += 4;
    else this.#varint();
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts > mostParts) throw new LimbeckError("corrupt", `a message of more than ${mostParts} parts came`);
  }

  /** Its lower 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; this.#at < this.#bytes.length; shift += 7) {
      const byte = this.#bytes[this.#at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }
}

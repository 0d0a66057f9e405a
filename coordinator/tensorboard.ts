/**
 * Scalars for TensorBoard, in DIR/tensorboard/<stage>/ as the run goes on: event files are TFRecords (length, masked
 * CRC-32C of the length, data, masked CRC-32C of the data) of Event messages, as TensorFlow's record_writer.cc and
 * event.proto have them.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import crc32c from "crc-32/crc32c.js";
import protobuf from "protobufjs";
import type { ProgressEvent } from "../core/events.ts";
import type { Stage } from "../core/stages.ts";
import { makeFolder } from "../proto/files.ts";

/** What of tensorflow.Event is written: the wire has field numbers and no names. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; float simple_value = 2; }
`);
const eventType = root.lookupType("Event");

type Scalars = Readonly<Record<string, number | null>>;

export class TensorBoardFiles {
  readonly #folder: string;
  readonly #temperature: number;
  readonly #files = new Map<Stage, FileHandle>();

  /** @param temperature of distil, which a job keeps */
  constructor(runFolder: string, temperature: number) {
    this.#folder = join(runFolder, "tensorboard");
    this.#temperature = temperature;
  }

  /** Appends what the event says of a curve; throws what the disk does. */
  async append(event: ProgressEvent): Promise<void> {
    const scalars = this.#scalarsOf(event);
    if (!scalars) return;
    const { stage, step, values } = scalars;
    const value = Object.entries(values).flatMap(([tag, simpleValue]) =>
      simpleValue === null ? [] : [{ tag, simpleValue }],
    );
    const file = this.#files.get(stage) ?? (await this.#open(stage, event.atMs));
    await file.appendFile(recordOf({ wallTime: event.atMs / 1000, step, summary: { value } }));
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  /** A file for each life of the coordinator: TensorBoard reads those of a folder as one. */
  async #open(stage: Stage, atMs: number): Promise<FileHandle> {
    const folder = join(this.#folder, stage);
    await makeFolder(folder);
    const file = await open(join(folder, `events.out.tfevents.${Math.floor(atMs / 1000)}.limbeck.${process.pid}`), "a");
    this.#files.set(stage, file);
    await file.appendFile(recordOf({ wallTime: atMs / 1000, fileVersion: "brain.Event:2" }));
    return file;
  }

  #scalarsOf(event: ProgressEvent): { readonly stage: Stage; readonly step: number; readonly values: Scalars } | null {
    if (event.kind === "evaluated") {
      const { errors, accuracy, crossEntropy } = event.score;
      const values = {
        "evaluation/errors": errors,
        "evaluation/accuracy": accuracy,
        "evaluation/cross-entropy": crossEntropy,
      };
      return { ...event, values };
    }
    if (event.kind !== "stepped") return null;
    const { stage, step, loss, hardLoss, softLoss, accuracy, agreement, learningRate, samplesPerSecond } = event;
    const values = {
      ...{ "loss/all": loss, "loss/hard": hardLoss, "loss/soft": softLoss },
      ...{ "training/accuracy": accuracy, "training/agreement": agreement, "training/learning-rate": learningRate },
      ...{ "training/temperature": stage === "distil" ? this.#temperature : null },
      ...{ "speed/samples-per-second": samplesPerSecond },
    };
    return { stage, step, values };
  }
}

function recordOf(event: object): Buffer {
  const data = eventType.encode(eventType.create(event)).finish();
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

/** Rotated and moved, for a checksum of data that holds checksums. */
function maskedCrc(data: Uint8Array): Buffer {
  const crc = crc32c.buf(data) >>> 0;
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}

/** The event files, read by a reader of their own: framing and checksums by the format's words, fields by their numbers. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import protobuf from "protobufjs";
import { TensorBoardFiles } from "../../coordinator/tensorboard.ts";
import type { ProgressEvent } from "../../core/events.ts";

/** CRC-32C bit by bit: polynomial 0x1EDC6F41, reflected. */
function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function unmasked(crc: number): number {
  const rotated = (crc - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

function recordsOf(file: Buffer): Buffer[] {
  const records = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(unmasked(file.readUInt32LE(at + 8)), crc32c(file.subarray(at, at + 8)), "checksum of the length");
    const data = file.subarray(at + 12, at + 12 + length);
    assert.equal(data.length, length, "a whole record");
    assert.equal(unmasked(file.readUInt32LE(at + 12 + length)), crc32c(data), "checksum of the data");
    records.push(data);
    at += length + 16;
  }
  return records;
}

interface Read {
  wallTime: number;
  step: number;
  version: string;
  scalars: Record<string, number>;
}

function eventOf(data: Buffer): Read {
  const event: Read = { wallTime: 0, step: 0, version: "", scalars: {} };
  const reader = protobuf.Reader.create(data);
  const fields = (until: number, read: (field: number) => void) => {
    while (reader.pos < until) read(reader.uint32() >>> 3);
  };
  fields(data.length, (field) => {
    if (field === 1) event.wallTime = reader.double();
    else if (field === 2) event.step = Number(reader.int64());
    else if (field === 3) event.version = reader.string();
    else {
      assert.equal(field, 5);
      fields(reader.uint32() + reader.pos, (inSummary) => {
        assert.equal(inSummary, 1);
        let tag = "";
        fields(reader.uint32() + reader.pos, (inValue) => {
          if (inValue === 1) tag = reader.string();
          else event.scalars[tag] = reader.float();
        });
      });
    }
  });
  return event;
}

const phases = { data: 0, softTargets: 0, compute: 0, exchange: 0, apply: 0 };
const stepped: ProgressEvent = {
  ...{ kind: "stepped", stage: "distil", step: 300, steps: 400, epoch: 3, epochs: 4, samplesPerSecond: 1024 },
  ...{ loss: 0.5, hardLoss: 0.25, softLoss: 0.75, accuracy: 0.5, agreement: 0.625, learningRate: 0.125, etaSeconds: 1 },
  ...{ phases, atMs: 1_700_000_000_500 },
};
const score = { examples: 8, errors: 2, accuracy: 0.75, crossEntropy: 1.5 };

test("scalars are in a file of their stage, each record whole and checked", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "limbeck-test-"));
  t.after(() => rm(folder, { recursive: true }));
  const files = new TensorBoardFiles(folder, 4);
  await files.append(stepped);
  await files.append({ kind: "evaluated", stage: "distil", step: 400, epoch: 4, score, atMs: 1_700_000_001_000 });
  await files.append({ ...stepped, stage: "teach", softLoss: null, agreement: null });
  await files.append({ kind: "job-paused", why: "nothing to draw", atMs: 1 });
  await files.close();

  assert.deepEqual((await readdir(join(folder, "tensorboard"))).sort(), ["distil", "teach"]);
  const [name] = await readdir(join(folder, "tensorboard/distil"));
  assert.match(name!, /^events\.out\.tfevents\.1700000000\./);
  const [first, ...rest] = recordsOf(await readFile(join(folder, "tensorboard/distil", name!))).map(eventOf);
  assert.equal(first!.version, "brain.Event:2");
  assert.deepEqual(rest, [
    {
      ...{ wallTime: 1_700_000_000.5, step: 300, version: "" },
      scalars: {
        ...{ "loss/all": 0.5, "loss/hard": 0.25, "loss/soft": 0.75, "training/accuracy": 0.5 },
        ...{ "training/agreement": 0.625, "training/learning-rate": 0.125, "training/temperature": 4 },
        "speed/samples-per-second": 1024,
      },
    },
    {
      ...{ wallTime: 1_700_000_001, step: 400, version: "" },
      scalars: { "evaluation/errors": 2, "evaluation/accuracy": 0.75, "evaluation/cross-entropy": 1.5 },
    },
  ]);
  const [teach] = await readdir(join(folder, "tensorboard/teach"));
  const [, only] = recordsOf(await readFile(join(folder, "tensorboard/teach", teach!))).map(eventOf);
  assert.deepEqual(
    Object.keys(only!.scalars).filter((tag) => /soft|agreement|temperature/.test(tag)),
    [],
  );
});

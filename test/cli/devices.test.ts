import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceShares } from "../../cli/devices.ts";

const four = () => ["0", "1", "2", "3"];
const none = () => [];
const labels = (choice: string | undefined, gpus: () => string[]) =>
  deviceShares(choice, gpus).map(({ label, env }) => [label, env["CUDA_VISIBLE_DEVICES"]]);

test("all: a process per GPU, or one on the CPU where there is none", () => {
  assert.deepEqual(labels("all", four), [
    ["gpu0", "0"],
    ["gpu1", "1"],
    ["gpu2", "2"],
    ["gpu3", "3"],
  ]);
  assert.deepEqual(labels("all", none), [["cpu", "-1"]]);
});

test("numbers: those GPUs, each once", () => {
  assert.deepEqual(labels("1,3,1", four), [
    ["gpu1", "1"],
    ["gpu3", "3"],
  ]);
});

test("cpu hides the GPUs; no choice hides nothing", () => {
  assert.deepEqual(labels("cpu", four), [["cpu", "-1"]]);
  assert.deepEqual(labels(undefined, four), [["gpu0", undefined]]);
  assert.deepEqual(labels(undefined, none), [["cpu", undefined]]);
});

test("a GPU that is not there, and what is no choice, are refused", () => {
  const refused = (choice: string, gpus: () => string[], message: RegExp) =>
    assert.throws(() => deviceShares(choice, gpus), { code: "usage", message });
  refused("0,7", four, /no GPU 7; the GPUs here are 0, 1, 2, 3/);
  refused("0", none, /no NVIDIA GPU here/);
  refused("gpu", four, /must be all, cpu or numbers.*found gpu/);
});

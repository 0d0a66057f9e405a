/** Where the coordinator is: said again without what is secret, to people and to other processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { type CoordinatorPlace, placeAgain, placeOf, withPlace } from "../../cli/place.ts";

function placed(...args: string[]): CoordinatorPlace {
  const command = withPlace(new Command());
  command.parse(args, { from: "user" });
  return placeOf(command, null);
}

test("commands that are proposed name NATS without its password", () => {
  const cases = [
    ["nats://ann:secret@h:4222", " --nats nats://…@h:4222"],
    ["ann:secret@h", " --nats …@h"],
    ["nats://secret@h1,nats://h2", " --nats nats://…@h1,nats://h2"],
    ["nats://h1:1,tls://h2:2", " --nats nats://h1:1,tls://h2:2"],
  ] as const;
  for (const [given, again] of cases) assert.equal(placed("--nats", given).again, again);
});

test("another process is told NATS' URLs by its environment, which only its user sees", () => {
  const urls = "nats://ann:secret@h1:4222,nats://h2:4222";
  const { args, env } = placeAgain(
    placed("--nats", urls, "--nats-creds", "creds", "--nats-ca", "ca", "--cluster", "a"),
  );
  assert.deepEqual(args, ["--nats-creds", "creds", "--nats-ca", "ca", "--cluster", "a"]);
  assert.deepEqual(env, { LIMBECK_NATS: urls, LIMBECK_COORDINATOR: undefined });
  const addressed = placeAgain(placed("--coordinator", "h:1,[::1]:2"));
  assert.deepEqual(addressed.args.slice(0, 2), ["--coordinator", "h:1,[::1]:2"]);
  assert.deepEqual(addressed.env, {});
});

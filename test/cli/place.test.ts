/** How the place of the coordinator is said again: to a child process all of it, in a proposed command what was typed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { type CoordinatorPlace, placeArguments, placeOf, usualCoordinator, withPlace } from "../../cli/place.ts";

function parsed(...args: string[]): CoordinatorPlace {
  const command = withPlace(new Command().exitOverride());
  command.parse(args, { from: "user" });
  return placeOf(command, usualCoordinator);
}

const places: readonly (readonly string[])[] = [
  [],
  ["--coordinator", "a:1,b:2"],
  ["--nats", "nats://n:4222"],
  ["--nats", "nats://n:1,nats://m:2", "--nats-creds", "f.creds", "--nats-ca", "ca.pem", "--cluster", "beta"],
  ["--coordinator", "a:1", "--insecure"],
];

test("a child that is told by these options looks at the same place", () => {
  for (const args of places) {
    const { again: _, ...place } = parsed(...args);
    const { again: __, ...childs } = parsed(...placeArguments({ ...place, again: "" } as CoordinatorPlace));
    assert.deepEqual(childs, place, args.join(" "));
  }
});

test("a command that is proposed says what was typed, and no more", () => {
  for (const args of places) assert.equal(parsed(...args).again, args.map((word) => ` ${word}`).join(""));
});

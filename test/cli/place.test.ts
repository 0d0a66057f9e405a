/** How the place of the coordinator is said again, without what is secret: to a child process all of it, in a proposed command what was typed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { type CoordinatorPlace, placeAgain, placeOf, usualCoordinator, withPlace } from "../../cli/place.ts";

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
  ["--nats", "nats://ann:secret@n:4222"],
  ["--coordinator", "a:1", "--insecure"],
];

test("a child that is told so looks at the same place, and its arguments have no URL of NATS", () => {
  for (const given of places) {
    const { again: _, ...place } = parsed(...given);
    const { args, env } = placeAgain({ ...place, again: "" } as CoordinatorPlace);
    assert.doesNotMatch(args.join(" "), /nats:/);
    const before = { ...process.env };
    for (const [name, value] of Object.entries(env)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    try {
      const { again: __, ...childs } = parsed(...args);
      assert.deepEqual(childs, place, given.join(" "));
    } finally {
      process.env = before;
    }
  }
});

test("a command that is proposed says what was typed, and no more", () => {
  for (const args of places.filter((each) => !each.join().includes("secret")))
    assert.equal(parsed(...args).again, args.map((word) => ` ${word}`).join(""));
});

test("commands that are proposed name NATS without its password", () => {
  const cases = [
    ["nats://ann:secret@h:4222", " --nats nats://…@h:4222"],
    ["ann:secret@h", " --nats …@h"],
    ["nats://secret@h1,nats://h2", " --nats nats://…@h1,nats://h2"],
    ["nats://h1:1,tls://h2:2", " --nats nats://h1:1,tls://h2:2"],
  ] as const;
  for (const [given, again] of cases) assert.equal(parsed("--nats", given).again, again);
});

/** The folder of a run that is gone on with: its job, its events, its report. */
import { earlierPart } from "../../../../cli/resume.ts";
import { nothingYet, withEvent } from "../../../../coordinator/latest.ts";
import { openRecords, readEvents } from "../../../../coordinator/records.ts";
import { curvesOf } from "../../../../core/curves.ts";
import { effectiveJobYaml } from "../../../../core/jobfile.ts";
import { eventText } from "../../../../core/lines.ts";
import { History } from "../../../../core/live/history.ts";
import { runReport } from "../../../../core/runreport.ts";
import { events, job, linesOf, report } from "../samplerun.ts";
import { type Folder, type Nasty, promise, type Target, textFolder, withFiles } from "../target.ts";

const seed = textFolder({
  "job.yaml": effectiveJobYaml(job, "."),
  "events.jsonl": linesOf(events),
  "report.json": JSON.stringify(report),
});
const told = (...lines: string[]): Folder =>
  withFiles(seed, { "events.jsonl": `${lines.join("\n")}\n${linesOf(events)}` });
const refused = (files: Record<string, string>): Nasty => ({ ...withFiles(seed, files), must: "be refused" });
const evaluated = events.find(({ kind }) => kind === "evaluated");

export const target: Target = {
  open: async () => ({
    seeds: [seed, { files: { "job.yaml": seed.files["job.yaml"]!, "events.jsonl": seed.files["events.jsonl"]! } }],
    nasties: {
      "events that are none": {
        ...told("null", "5", '"x"', "[]", "{}", '{"kind":null}', '{"kind":"__proto__","atMs":1}'),
        must: "be taken",
      },
      "an event that lacks": {
        ...told('{"kind":"stepped","stage":"teach","atMs":1}', '{"kind":"term-opened","atMs":2}'),
        must: "be taken",
      },
      // What is not finite is null where it has been JSON.
      "an evaluation that was endless": {
        ...told(JSON.stringify({ ...evaluated, score: { examples: 4, errors: 4, accuracy: 0, crossEntropy: null } })),
        must: "be taken",
      },
      "a text that is none": {
        ...told('{"kind":"worker-warned","worker":{"toString":1},"why":{"toString":1},"atMs":1}'),
        must: "be taken",
      },
      "a report of lists in lists": {
        ...told(`{"kind":"job-finished","atMs":1,"report":{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}}`),
        must: "be taken",
      },
      "lists in lists": {
        ...told(`{"kind":"job-finished","atMs":1,"report":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
        must: "be taken",
      },
      "events without an end": {
        files: { "job.yaml": seed.files["job.yaml"]! },
        links: { "events.jsonl": "/dev/zero" },
        must: "be refused",
      },
      "a report of null": refused({ "report.json": "nul" }),
      "a report without an end": { ...seed, links: { "report.json": "/dev/zero" }, must: "be refused" },
      "another job": refused({ "job.yaml": effectiveJobYaml({ ...job, seed: 9 }, ".") }),
      "no job": refused({ "job.yaml": "5" }),
    },
    async read(path) {
      const earlier = await earlierPart(path, job, "now.yaml");
      if (earlier === null) return;
      const records = await openRecords(path, job, path, { resume: true });
      await records.close();
      const read = await readEvents(path);
      // All that a coordinator does with them, before its workers are back and when the job is over.
      const history = new History();
      for (const event of records.events) history.hear(event);
      records.events.reduce(withEvent, nothingYet);
      const lines = records.events.map(eventText);
      const drawn = JSON.stringify([
        curvesOf(records.events),
        runReport(report, records.events, report.software),
        history.toJSON(),
      ]);
      promise(drawn.length > 0 && lines.every((line) => typeof line === "string"), "its events are not told");
      promise(read.length === records.events.length, "one reader finds other events than the other");
      // A last line that was torn is cut off when they are opened.
      promise([0, 1].includes(earlier.events - read.length), "what is resumed has other events");
    },
  }),
};

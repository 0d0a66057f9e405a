/** What is asked of one job of a service, over real gRPC, while its store is away and when another leads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolderStore } from "../../../coordinator/folder/store.ts";
import { connectCoordinator } from "../../../proto/clients.ts";
import { bounded, scratch } from "../sessions.ts";
import { isLeading, jobFile, service, submit, until, withJournals } from "./services.ts";

test(
  "an order to stop is answered when it is durable: the job is cancelled, whoever leads then",
  bounded,
  async (t) => {
    const folder = await scratch(t);
    let isAway = false;
    let [waiting, back] = [0, () => {}];
    const store = withJournals(openFolderStore(folder), async (_, open) => {
      const journal = await open();
      return {
        ...journal,
        async append(record) {
          if (isAway) {
            waiting++;
            await new Promise<void>((resolve) => {
              back = resolve;
            });
          }
          await journal.append(record);
        },
      };
    });
    const leader = await service("one", folder, store);
    t.after(() => leader.close("the test is over"));
    await until(() => isLeading(leader));
    const id = await submit(leader, { job: jobFile });
    const client = connectCoordinator(leader.address, id);
    t.after(() => client.close());

    isAway = true;
    let isAnswered = false;
    const stopping = client.stop("enough").finally(() => {
      isAnswered = true;
    });
    await until(async () => waiting > 0);
    // A round trip on the same connection: an answer that was on its way would have come.
    const shown = JSON.parse(await client.status()) as { readonly why: string };
    assert.deepEqual([isAnswered, /^queued/.test(shown.why)], [false, true], shown.why);
    isAway = false;
    back();
    await stopping;
    assert.match((JSON.parse(await client.status()) as { readonly why: string }).why, /^cancelled: .*enough$/);
    await client.stop("again, of a job that is over");
  },
);

/** `npm run chaos`: builds what is stale, then runs the harness. */
import { prepareOrExit } from "../../cli/bootstrap.mjs";

await prepareOrExit();
await import("../../dist/test/chaos/main.js");

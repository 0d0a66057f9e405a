/** `npm run fuzz:files`: builds what is stale, then runs the harness. */
import { prepareOrExit } from "../../../cli/bootstrap.mjs";

await prepareOrExit();
await import("../../../dist/test/fuzz/files/main.js");

/** `npm run fuzz`: builds what is stale, then runs the harness that is named. */
import { prepareOrExit } from "../../cli/bootstrap.mjs";

await prepareOrExit();
const [harness] = process.argv.splice(2, 1);
await import(`../../dist/test/fuzz/${harness}.js`);

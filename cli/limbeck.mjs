#!/usr/bin/env node
import { prepareOrExit } from "./bootstrap.mjs";

await prepareOrExit();
await import("../dist/cli/main.js");

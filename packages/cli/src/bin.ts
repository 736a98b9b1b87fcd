#!/usr/bin/env node
import { main } from "./cli.ts";
import { exitFlushed } from "./exit.ts";

await exitFlushed(await main(process.argv));

/** Does nothing. Once setup/run.mjs runs it, all that a server needs is installed: a service has it run before it starts. */
export {};

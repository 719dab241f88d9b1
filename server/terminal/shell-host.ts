/** Runs argv in a host to its end, without a TTY. */
type Run = (
  argv: readonly string[],
  options?: { readonly user?: string; readonly signal?: AbortSignal },
) => Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>;

/** What a terminal needs of a host. The sandbox's hosts are such; tests and the benchmark bring their own. */
export interface ShellHost {
  readonly name: string;
  readonly run: Run;
  /** The same for what has no line break in it and takes some milliseconds. stderr may come with stdout. */
  readonly runSmall: Run;
  /** The command on this machine that gives argv in the host a TTY. */
  ttyCommand(argv: readonly string[], options?: { readonly user?: string }): PtyCommand;
  /**
   * A directory that this machine and the host both see, by the path that each has for it; `undefined` where there is
   * none. Users of the host can write to it: nothing in it is read here, only its sockets are connected to.
   */
  readonly shared: { readonly outside: string; readonly inside: string } | undefined;
}

/** A command on this machine, to run on a pty. `env` comes on top of the bare minimum. */
export interface PtyCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A terminal's size in characters. */
export interface Size {
  readonly cols: number;
  readonly rows: number;
}

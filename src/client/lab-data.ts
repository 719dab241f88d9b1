/** What the build knows of a lab and the page's script needs: its names, never its checks' code. */
export interface LabData {
  /** The lab's folder name. */
  readonly name: string;
  readonly title: string;
  /** The page's file name without its ending. */
  readonly page: string;
  readonly hosts: readonly { readonly name: string; readonly aliases: readonly string[] }[];
  /** The host that the browser pane looks from. */
  readonly browser: string;
  readonly sections: readonly {
    readonly page: string;
    readonly title: string;
    /** Path of the page. */
    readonly href: string;
    /** Ids of the checks that count. */
    readonly checks: readonly string[];
    /** Ids of the checks that do not. */
    readonly extras: readonly string[];
    /** Id of the check that opens its page, where there is one. */
    readonly after?: string;
  }[];
  readonly steps: readonly LabStep[];
}

/** A step, as far as the page can offer to have it done. */
export interface LabStep {
  readonly id: string;
  readonly page: string;
  readonly heading: string;
  readonly checks: readonly string[];
  /** Whether there is anything to be done for it. */
  readonly hasActions: boolean;
}

/** Where the page carries it. */
export const LAB_DATA_ID = 'lab-data';

/** Reads it from a lab's page; `undefined` on any other. */
export function readLabData(page: ParentNode): LabData | undefined {
  const text = page.querySelector(`#${LAB_DATA_ID}`)?.textContent;
  return text ? (JSON.parse(text) as LabData) : undefined;
}

/** How many steps there are before a section. */
export function stepsBefore(lab: LabData, page: string): number {
  const at = lab.sections.findIndex((section) => section.page === page);
  const before = new Set(lab.sections.slice(0, Math.max(0, at)).map((section) => section.page));
  return lab.steps.filter((step) => before.has(step.page)).length;
}

/** The host that a name or an alias stands for. */
export function hostNameOf(lab: LabData, name: string): string {
  return lab.hosts.find((host) => host.name === name || host.aliases.includes(name))?.name ?? name;
}

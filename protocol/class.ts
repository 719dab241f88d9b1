/** What passes between the server and the pages of a class. Single-user servers know only `ClassView`. */

/** What anybody may know (`GET /api/class`). */
export type ClassView =
  | { readonly mode: 'single' }
  | {
      readonly mode: 'class';
      readonly name: string;
      /** The learner that this browser is signed in as. */
      readonly me?: { readonly name: string };
      /** This browser is signed in as the instructor. */
      readonly instructor: boolean;
    };

/** The answer to joining and to coming back. */
export interface JoinedView {
  readonly name: string;
  /** The learner's personal link: a path on this server. Whoever has it is this learner. */
  readonly link: string;
}

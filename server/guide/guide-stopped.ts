/** Why something that was being done for a learner did not come to its end, in words for them. Nothing is undone. */
export class GuideStopped extends Error {
  override readonly name = 'GuideStopped';
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

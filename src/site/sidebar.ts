/** Label of the sidebar's group in which Starlight lists the folders under `labs/`; each of them bears its lab's title. */
export const LABS_GROUP = 'Labs';
/** Label of the group with the guide for authors. */
export const AUTHORS_GROUP = 'Authors';
/** The lab whose pages are the guide's live examples: it stands there, out of the learners' way. */
export const EXAMPLES_LAB = 'components';

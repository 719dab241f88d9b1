/** Label of the sidebar's group in which Starlight lists the folders under `labs/`; each of them bears its lab's title. */
export const LABS_GROUP = 'Labs';

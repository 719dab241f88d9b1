/** The path of another site that tests serve Quayside below. The pages for it are built before they run (setup/test.ts). */
export const BASE_PATH = '/quayside';

/**
 * What an engine may be set to for all its containers and a host cannot have: AppArmor's profile forbids the mounts that a
 * host's engine makes, SELinux's type forbids these and the sockets in the shared directory, and without new privileges there
 * is no sudo. An engine that has none of them takes no notice.
 */
export const UNCONFINED = ['apparmor=unconfined', 'label=disable', 'no-new-privileges=false'];

/** Loaded before a consumer: answers what it has used so far, so that consumers know nothing of being measured. */
export interface Usage {
  /** User and system, in milliseconds, the start included. */
  readonly cpu: number;
  /** The most memory it has had, in bytes. */
  readonly memory: number;
}

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = {
    cpu: (user + system) / 1000,
    memory: process.resourceUsage().maxRSS * 1024,
  };
  process.send?.(usage);
});

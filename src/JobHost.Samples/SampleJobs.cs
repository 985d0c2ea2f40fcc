namespace JobHost.Samples;

/// <summary>Jobs to try the host with: some do honest work, some resist being stopped in one way each.</summary>
public static class SampleJobs
{
    // Those that never obey need no long grace on the rungs that cannot stop them.
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ProofTime = TimeSpan.FromSeconds(5);

    /// <summary>Registers all samples.</summary>
    public static JobsBuilder AddSamples(this JobsBuilder jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return jobs.Add(
                "hello",
                HelloJob.GreetAsync,
                options => options.Description = "Greets somebody and ends. The smallest job there is: a method."
            )
            .Add<CountdownJob>(
                "countdown",
                options =>
                    options.Description =
                        "Counts seconds down to zero with progress. Stops at once when it is asked to."
            )
            .Add<ChecksumJob>(
                "checksum",
                options =>
                {
                    options.Description =
                        "Computes the SHA-256 of every regular file below a folder and writes a manifest that 'sha256sum -c' "
                        + "accepts. Fails at its end, after all others are done, where a file could not be read.";
                    options.Kind = JobKind.Process;
                    // Each run already uses all processors; more would only fight over the disk.
                    options.ConcurrencyLimit = 2;
                }
            )
            .Add<PrimesJob>(
                "primes",
                options =>
                {
                    options.Description =
                        "Counts primes for ever in a tight loop that ignores its token. Of the rungs for threads only abort stops it.";
                    options.AllowAbort = true;
                    options.Ladder = new(
                        new(Rung.Cancel, Brief),
                        new(Rung.Interrupt, TimeSpan.FromSeconds(0.25)),
                        new(Rung.Abort, ProofTime),
                        new(Rung.Verify, ProofTime)
                    );
                }
            )
            .Add<SleeperJob>(
                "sleeper",
                options =>
                {
                    options.Description =
                        "Blocks its thread in one long sleep and ignores its token. The interrupt rung stops it.";
                    options.Ladder = new(
                        new(Rung.Cancel, Brief),
                        new(Rung.Interrupt, Brief),
                        new(Rung.Verify, ProofTime)
                    );
                }
            )
            .Add<FibersJob>(
                "fibers",
                options =>
                    options.Description =
                        "Interleaves many small fibers in steps, without a thread of its own. Can be stopped between any two steps, without its help."
            )
            .Add<StubbornJob>(
                "stubborn",
                options =>
                {
                    options.Description =
                        "Ignores its token and SIGTERM, and on Linux leaves a daemon in a session of its own behind. Only a kill ends both early.";
                    options.Kind = JobKind.Process;
                    options.Ladder = new(
                        new(Rung.Cancel, Brief),
                        new(Rung.Terminate, Brief),
                        new(Rung.Kill, TimeSpan.Zero),
                        new(Rung.Verify, ProofTime)
                    );
                }
            )
            .Add<FlakyJob>(
                "flaky",
                options =>
                {
                    options.Description =
                        "Fails in its first attempts, then succeeds. Shows how a run is tried again, up to five times.";
                    options.Retry = new() { MaxAttempts = 5, InitialDelay = TimeSpan.FromSeconds(1) };
                }
            );
    }
}

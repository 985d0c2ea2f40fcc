namespace JobHost;

/// <summary>
/// What one run of a process job may use, all its processes together. A run that exceeds a limit is killed and has failed, with the
/// error <c>limit-exceeded</c> that says which; only <see cref="Processors"/> slows it down instead. Null: no limit. How well
/// a machine can see to each is declared with the job and the node: by the kernel at once, where it lets JobHost use the
/// controllers of its cgroups, otherwise by a look four times a second, or not at all.
/// </summary>
public sealed class JobLimits
{
    /// <summary>The least that a worker can do with.</summary>
    public const long MinMemoryBytes = 64L << 20;

    /// <inheritdoc cref="MinMemoryBytes"/>
    public const int MinOpenFiles = 256;

    /// <summary>What of <see cref="Processes"/> the worker itself may use in addition.</summary>
    public const int WorkerThreads = 32;

    /// <summary>Memory that cannot be dropped, the worker's own (some 40 MiB) included. From 64 MiB on.</summary>
    public long? MemoryBytes { get; set; }

    /// <summary>Processors' worth of time, such as 0.5 or 2. From 0.01 on. Not watched: where the kernel does not see to it, nobody does.</summary>
    public double? Processors { get; set; }

    /// <summary>Processes at once, each of their threads counted; 32 for the worker are added.</summary>
    public int? Processes { get; set; }

    /// <summary>Descriptors that one process may have open. From 256 on. A run is ended that is seen to have used them up.</summary>
    public int? OpenFiles { get; set; }

    /// <summary>Bytes of standard output, standard error and log, kept or not (<see cref="JobOptions.OutputLimit"/>).</summary>
    public long? OutputBytes { get; set; }

    /// <summary>Bytes of the files in the folder for artifacts, as they are listed. Looked at again at the run's end.</summary>
    public long? ArtifactBytes { get; set; }

    /// <summary>Processor time that all its processes together have used.</summary>
    public TimeSpan? CpuTime { get; set; }
}

using System.Collections.Frozen;
using JobHost.Worker.Bodies;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Jobs;

/// <summary>Everything that can run on this node, by name. Fixed when the server starts.</summary>
public sealed class JobCatalog
{
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(365);

    private readonly FrozenDictionary<string, JobDefinition> jobs;

    private JobCatalog(IReadOnlyDictionary<string, JobDefinition> jobs)
    {
        this.jobs = jobs.ToFrozenDictionary(StringComparer.Ordinal);
        All = [.. jobs.Values.OrderBy(job => job.Name, StringComparer.Ordinal)];
    }

    /// <summary>All jobs, by name.</summary>
    public IReadOnlyList<JobDefinition> All { get; }

    /// <summary>A job, or null.</summary>
    public JobDefinition? Find(string name) => jobs.GetValueOrDefault(name);

    /// <exception cref="JobConfigurationException">A job that cannot work; the message says what to change.</exception>
    public static JobCatalog Create(
        IEnumerable<JobRegistration> registrations,
        IReadOnlyDictionary<string, CommandConfig> commands,
        IServiceProviderIsService isService,
        Secrets? secrets = null
    )
    {
        ArgumentNullException.ThrowIfNull(registrations);
        ArgumentNullException.ThrowIfNull(commands);
        secrets ??= Secrets.None;
        var jobs = new Dictionary<string, JobDefinition>(StringComparer.Ordinal);
        void Add(JobDefinition job)
        {
            if (!jobs.TryAdd(job.Name, job))
            {
                throw new JobConfigurationException($"Two jobs are called '{job.Name}'. Rename one of them.");
            }
        }

        foreach (var registration in registrations)
        {
            var kind = KindOf(registration);
            Add(
                Define(
                    registration.Name,
                    kind,
                    registration.Options,
                    JobBody.Create(registration, isService),
                    command: null,
                    secrets
                )
            );
        }
        foreach (var (name, config) in commands)
        {
            if (!JobsBuilder.ValidName().IsMatch(name))
            {
                throw new JobConfigurationException(
                    $"JobHost:Commands:{name}: the name must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit."
                );
            }
            Add(
                Define(
                    name,
                    JobKind.Process,
                    OptionsOf(name, config),
                    body: null,
                    CommandTemplate.Create(name, config, secrets),
                    secrets
                )
            );
        }
        foreach (var job in jobs.Values)
        {
            Require(job, jobs);
        }
        return new(jobs);
    }

    /// <exception cref="JobConfigurationException">What is to run when runs of the job are stopped cannot.</exception>
    private static void Require(JobDefinition job, Dictionary<string, JobDefinition> jobs)
    {
        if (job.OnStopped is not { } name)
        {
            return;
        }
        if (name == job.Name || !jobs.TryGetValue(name, out var cleaner))
        {
            throw new JobConfigurationException(
                $"Job '{job.Name}': OnStopped must name another job; there is no other job '{name}'."
            );
        }
        var errors = cleaner.Check(Compensation.ParametersFor(cleaner, Compensation.Sample(job.Name), receipt: null));
        if (errors.Count > 0)
        {
            throw new JobConfigurationException(
                $"Job '{job.Name}': OnStopped names '{name}', which cannot be started with what it would be given: {string.Join(", ", errors.Select(error => $"{error.Key}: {error.Value[0]}"))}"
            );
        }
    }

    private static JobKind KindOf(JobRegistration registration)
    {
        var native = registration.Form switch
        {
            JobForm.Async => JobKind.Task,
            JobForm.Blocking => JobKind.Thread,
            _ => JobKind.Step,
        };
        var kind = registration.Options.Kind ?? native;
        if (kind == native || kind == JobKind.Process)
        {
            return kind;
        }
        throw new JobConfigurationException(
            $"Job '{registration.Name}' is written as a {native} job and cannot run as kind {kind}. Use {native} or {JobKind.Process}."
        );
    }

    private static JobOptions OptionsOf(string name, CommandConfig config)
    {
        var options = new JobOptions
        {
            Description = config.Description,
            SoftTimeout = config.SoftTimeout,
            Timeout = config.Timeout,
            ConcurrencyLimit = config.ConcurrencyLimit,
            Priority = config.Priority,
            Lifetime = config.Lifetime,
            Retry = config.Retry ?? RetryPolicy.Once,
            Autopsy = config.Autopsy,
            Limits = config.Limits,
            OnStopped = config.OnStopped,
        };
        options.QueueLimit = config.QueueLimit ?? options.QueueLimit;
        options.OutputLimit = config.OutputLimit ?? options.OutputLimit;
        if (config.Ladder is { Count: > 0 } steps)
        {
            try
            {
                options.Ladder = new(steps.Select(step => new LadderStep(step.Rung, step.Grace)));
            }
            catch (ArgumentException problem)
            {
                throw new JobConfigurationException($"JobHost:Commands:{name}:Ladder: {problem.Message}", problem);
            }
        }
        return options;
    }

    private static JobDefinition Define(
        string name,
        JobKind kind,
        JobOptions options,
        JobBody? body,
        CommandTemplate? command,
        Secrets secrets
    )
    {
        void Require(bool good, string problem)
        {
            if (!good)
            {
                throw new JobConfigurationException($"Job '{name}': {problem}.");
            }
        }

        var retry = options.Retry;
        Require(TimeoutProblem(options.SoftTimeout) is null, $"SoftTimeout {TimeoutProblem(options.SoftTimeout)}");
        Require(TimeoutProblem(options.Timeout) is null, $"Timeout {TimeoutProblem(options.Timeout)}");
        Require(options.ConcurrencyLimit is null or (>= 1 and <= 1_000_000), "ConcurrencyLimit must be 1 to 1,000,000");
        Require(options.QueueLimit is >= 0 and <= 10_000_000, "QueueLimit must be 0 to 10,000,000");
        Require(options.Priority is >= -1000 and <= 1000, "Priority must be -1000 to 1000");
        Require(options.OutputLimit is >= 0 and <= 1L << 40, "OutputLimit must be 0 to 1 TiB");
        Require(RetryProblem(retry) is null, RetryProblem(retry) ?? "");
        Require(LimitsProblem(options.Limits, kind) is null, $"Limits: {LimitsProblem(options.Limits, kind)}");
        var footing = new Footing(kind, options.OwnThread, options.AllowAbort, options.Lane);
        Require(options.Lane is null || kind != JobKind.Process, "Lane is for jobs of kind Task, Thread and Step only");
        Require(
            options.Lane is null || JobsBuilder.ValidName().IsMatch(options.Lane),
            "Lane must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit"
        );
        Require(!options.OwnThread || kind == JobKind.Task, "OwnThread is for jobs of kind Task only");
        Require(
            !options.AllowAbort || footing.HasThread,
            "AllowAbort is for jobs of kind Thread and for those of kind Task with OwnThread only"
        );
        var ladder = options.Ladder ?? Ladder.DefaultFor(footing);
        Require(ladder.ProblemFor(footing) is null, $"Ladder: {ladder.ProblemFor(footing)}");
        return new()
        {
            Name = name,
            Description = options.Description,
            Policy = new()
            {
                Ladder = ladder,
                Retry = retry,
                SoftTimeout = options.SoftTimeout,
                Timeout = options.Timeout,
            },
            ConcurrencyLimit = options.ConcurrencyLimit,
            QueueLimit = options.QueueLimit,
            Priority = options.Priority,
            Lifetime = options.Lifetime,
            Footing = footing,
            Autopsy = options.Autopsy,
            OutputLimit = options.OutputLimit,
            Limits = options.Limits,
            OnStopped = options.OnStopped,
            Body = body,
            Command = command,
            Secrets = secrets,
        };
    }

    /// <summary>What is wrong with a timeout, or null.</summary>
    public static string? TimeoutProblem(TimeSpan? timeout) =>
        timeout <= TimeSpan.Zero || timeout > MaxTimeout ? "must be above 0 and at most 365 days" : null;

    private static string? LimitsProblem(JobLimits limits, JobKind kind) =>
        kind != JobKind.Process
        && limits
            is not {
                MemoryBytes: null,
                Processors: null,
                Processes: null,
                OpenFiles: null,
                OutputBytes: null,
                ArtifactBytes: null,
                CpuTime: null
            }
            ? "they are for jobs of kind Process only, as nobody can tell what one of several in a process uses"
        : limits.MemoryBytes is < JobLimits.MinMemoryBytes or > 1L << 50
            ? $"MemoryBytes must be {JobLimits.MinMemoryBytes} (64 MiB) to 1 PiB"
        : limits.Processors is { } processors && !(processors is >= 0.01 and <= 10_000)
            ? "Processors must be 0.01 to 10,000"
        : limits.Processes is < 1 or > 1_000_000 ? "Processes must be 1 to 1,000,000"
        : limits.OpenFiles is < JobLimits.MinOpenFiles or > 1_000_000
            ? $"OpenFiles must be {JobLimits.MinOpenFiles} to 1,000,000"
        : limits.OutputBytes is < 0 or > 1L << 50 ? "OutputBytes must be 0 to 1 PiB"
        : limits.ArtifactBytes is < 0 or > 1L << 50 ? "ArtifactBytes must be 0 to 1 PiB"
        : limits.CpuTime <= TimeSpan.Zero || limits.CpuTime > MaxTimeout
            ? "CpuTime must be above 0 and at most 365 days"
        : null;

    /// <summary>What is wrong with a retry policy, or null.</summary>
    public static string? RetryProblem(RetryPolicy retry)
    {
        ArgumentNullException.ThrowIfNull(retry);
        return retry.MaxAttempts is < 1 or > 100 ? "MaxAttempts must be 1 to 100"
            : retry.InitialDelay < TimeSpan.Zero || retry.InitialDelay > Ladder.MaxGrace
                ? "InitialDelay must be 0 to 1 day"
            : retry.MaxDelay < retry.InitialDelay || retry.MaxDelay > Ladder.MaxGrace
                ? "MaxDelay must be InitialDelay to 1 day"
            : retry.Multiplier is not (>= 1 and <= 10) ? "Multiplier must be 1 to 10"
            : retry.Jitter is not (>= 0 and <= 1) ? "Jitter must be 0 to 1"
            : null;
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Worker.Bodies;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Tests.Support;

/// <summary>Things that tests need some of; what matters to a test it says itself, with <c>with</c>.</summary>
internal static class Some
{
    internal static readonly DateTimeOffset Instant = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(
        1_234_567
    );

    internal static JsonElement Json(string text) => JsonElement.Parse(text);

    internal static Run QueuedRun(string job = "greet", JobKind kind = JobKind.Task) =>
        new()
        {
            Id = RunId.New(TimeProvider.System),
            Job = job,
            Kind = kind,
            State = RunState.Queued,
            CreatedAt = Instant,
            Policy = new() { Ladder = Ladder.DefaultFor(new(kind)), Retry = RetryPolicy.Once },
        };

    internal static Run Ended(this Run run, DateTimeOffset at, RunState state = RunState.Succeeded) =>
        run with
        {
            State = state,
            EndedAt = at,
        };

    /// <summary>A run in which no field has its default.</summary>
    internal static Run FullRun() =>
        new()
        {
            Id = RunId.New(TimeProvider.System),
            Job = "encode.video_1",
            Kind = JobKind.Process,
            State = RunState.Killed,
            Stop = StopLevel.Kill,
            Attempt = 3,
            Node = "node-ü",
            Epoch = 7,
            Fence = (7L << 32) | 99,
            Priority = -5,
            Labels = ImmutableSortedDictionary<string, string>
                .Empty.WithComparers(StringComparer.Ordinal)
                .Add("team", "blue \"quoted\" \n ☃ \U0001F980")
                .Add("Team", ""),
            Parameters = Json("""{"b":1,"a":[1.50,null,{"ä":"\u0000"}],"deep":{"x":12345678901234567890123}}"""),
            CreatedAt = Instant,
            NotBefore = Instant.AddTicks(1),
            StartedAt = Instant.AddTicks(2),
            EndedAt = Instant.AddTicks(3),
            UniqueKey = "key 1",
            RetryOf = RunId.New(TimeProvider.System),
            Compensates = RunId.New(TimeProvider.System),
            CompensatedBy = RunId.New(TimeProvider.System),
            ResultFileBytes = 70_000,
            LargeParameters = new(70_001, new string('a', 64)),
            Schedule = new("nightly", Instant.AddTicks(4)),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            TraceState = "vendor=opaque",
            Policy = new()
            {
                Ladder = new(
                    new LadderStep(Rung.Cancel, TimeSpan.FromTicks(1)),
                    new LadderStep(Rung.Terminate, TimeSpan.FromDays(1)),
                    new LadderStep(Rung.Kill, TimeSpan.Zero)
                ),
                // All of them the defaults of their types, none the default of the policy.
                Retry = new()
                {
                    MaxAttempts = 5,
                    InitialDelay = TimeSpan.Zero,
                    MaxDelay = TimeSpan.Zero,
                    Multiplier = 1,
                    Jitter = 0,
                    RetryLost = false,
                },
                SoftTimeout = TimeSpan.FromTicks(12_345_678),
                Timeout = TimeSpan.FromDays(365),
            },
            Progress = new(99.5, "almost"),
            Result = Json("""{"sum":1.10}"""),
            Error = new("System.Exception", "broken\nhere", "at X"),
            ExitCode = 137,
            Signal = "SIGKILL",
            ProcessId = 4242,
            Lane = "conversions",
            KillGuarantee = "group",
            Leaked = 2,
            Attempts =
            [
                new(1, RunState.Failed, "node-ü", Instant, Instant.AddTicks(1), new("E", "first", null)),
                new(2, RunState.TimedOut, null, null, Instant.AddTicks(2), null),
            ],
        };

    internal static Schedule Schedule(string id = "nightly", string job = "greet") =>
        new()
        {
            Id = id,
            Incarnation = Guid.NewGuid(),
            Version = 1,
            Spec = new()
            {
                Job = job,
                Cron = "@daily",
                TimeZone = "UTC",
                Run = new(),
            },
            CreatedAt = Instant,
            UpdatedAt = Instant,
            HandledUntil = Instant,
        };

    /// <summary>A schedule in which no field has its default.</summary>
    internal static Schedule FullSchedule(string id = "nightly") =>
        Schedule(id) with
        {
            Spec = new()
            {
                Job = "greet",
                Description = "says \"ü\"",
                Cron = "30 2 * * *",
                Every = TimeSpan.FromTicks(1),
                TimeZone = "Europe/Berlin",
                Overlap = OverlapPolicy.CancelPrevious,
                Misfire = MisfirePolicy.FireAll,
                Jitter = TimeSpan.FromSeconds(1.5),
                InstantParameter = "at",
                Run = new()
                {
                    Parameters = Json("""{"a":[1.50,null]}"""),
                    Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["team"] = "☃" },
                    Priority = -1,
                    UniqueKey = "key",
                    SoftTimeout = TimeSpan.FromTicks(1),
                    Timeout = TimeSpan.FromTicks(2),
                    Retry = FullRun().Policy.Retry,
                    RequireGuarantee = "group",
                    Ladder = [new(Rung.Cancel, TimeSpan.FromTicks(3))],
                },
            },
            Paused = new("alice", Instant, "because"),
            NextAt = Instant.AddTicks(1),
            Waiting = [Instant.AddTicks(-2), Instant.AddTicks(-1)],
            LastFire = new(Instant.AddTicks(-3), Instant.AddTicks(-2), RunId.New(TimeProvider.System)),
        };

    internal static Receipt FullReceipt() =>
        new()
        {
            Attempt = 3,
            Requests =
            [
                new(Instant, "alice", StopLevel.Cancel, StopCause.SoftTimeout, null, null, Escalate: false),
                new(
                    Instant.AddTicks(1),
                    "bob",
                    StopLevel.Kill,
                    StopCause.Shutdown,
                    "because",
                    TimeSpan.Zero,
                    Escalate: true
                ),
            ],
            Rungs =
            [
                new(Rung.Cancel, Instant, TimeSpan.FromTicks(1), "no-effect"),
                new(Rung.Kill, Instant, null, "pending"),
            ],
            Mechanism = "group",
            Processes = [new(1, 2, "a b)", "Z", "do_wait", "SIGKILL")],
            Verdict = Verdict.GoneLate,
            VerifiedBy = "proof",
            VerifiedAt = Instant,
            Survivors = [new(3, 4, "c", null, null, null)],
            Elapsed = TimeSpan.FromTicks(7),
            LateBy = TimeSpan.FromTicks(8),
            AutopsyAt = Instant,
            Released = new("carol", Instant, "in the way", "u"),
        };

    internal static StopRequest Request(
        TimeProvider time,
        StopLevel level = StopLevel.Cancel,
        bool escalate = true,
        TimeSpan? grace = null,
        StopCause cause = StopCause.Request
    ) => new(time.GetUtcNow(), "somebody", level, cause, "a reason", grace, escalate || level == StopLevel.Kill);

    internal static IServiceProviderIsService IsService(Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection();
        configure?.Invoke(services);
        return services.BuildServiceProvider().GetRequiredService<IServiceProviderIsService>();
    }

    internal static JobBody Body(Delegate body, Action<IServiceCollection>? services = null) =>
        JobBody.Create(Registered(jobs => jobs.Add("job", body)), IsService(services));

    internal static JobBody Body<TJob>()
        where TJob : class => JobBody.Create(Registered(jobs => jobs.Add<TJob>("job")), IsService());

    internal static JobCatalog Catalog(
        Action<JobsBuilder> jobs,
        IReadOnlyDictionary<string, CommandConfig>? commands = null
    )
    {
        var builder = new JobsBuilder(new ServiceCollection());
        jobs(builder);
        return JobCatalog.Create(
            builder.Registrations,
            commands ?? new Dictionary<string, CommandConfig>(StringComparer.Ordinal),
            IsService()
        );
    }

    internal static JobDefinition Job(JobKind kind, Action<JobOptions>? configure = null)
    {
        void Configure(JobOptions options)
        {
            options.Kind = kind;
            configure?.Invoke(options);
        }

        return Catalog(jobs =>
                _ = kind switch
                {
                    JobKind.Task => jobs.Add("job", () => Task.CompletedTask, Configure),
                    JobKind.Step => jobs.Add("job", NoSteps, Configure),
                    _ => jobs.Add("job", () => { }, Configure),
                }
            )
            .Find("job")!;
    }

    internal static RunContext Context(Run run, TimeProvider time) =>
        new(run.Id.Value, run.Job, run.Attempt, run.Fence, _ => Path.GetTempPath(), new Mute(), time);

    private static JobRegistration Registered(Action<JobsBuilder> add)
    {
        var builder = new JobsBuilder(new ServiceCollection());
        add(builder);
        return builder.Registrations[0];
    }

    private static async IAsyncEnumerable<Step> NoSteps()
    {
        await Task.CompletedTask;
        yield break;
    }
}

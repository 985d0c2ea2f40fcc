using JobHost.Jobs;
using JobHost.Tests.Support;
using JobHost.Worker.Bodies;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Tests.Jobs;

public sealed class JobCatalogTests
{
    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData(".a")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("ä")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_that_cannot_stand_in_a_url_is_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => new JobsBuilder(new ServiceCollection()).Add(name, () => { }));
        var problem = Assert.Throws<JobConfigurationException>(() => Some.Catalog(_ => { }, Command(name)));
        Assert.Contains("JobHost:Commands:", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_with_a_line_break_at_its_end_is_refused() =>
        Assert.Throws<ArgumentException>(() => new JobsBuilder(new ServiceCollection()).Add("a\n", () => { }));

    [Fact]
    public void Two_jobs_of_one_name_are_refused_wherever_they_come_from()
    {
        var twice = Assert.Throws<JobConfigurationException>(() =>
            Some.Catalog(jobs => jobs.Add("same", () => { }).Add("same", () => { }))
        );
        Assert.Contains("'same'", twice.Message, StringComparison.Ordinal);
        var mixed = Assert.Throws<JobConfigurationException>(() =>
            Some.Catalog(jobs => jobs.Add("same", () => { }), Command("same"))
        );
        Assert.Contains("'same'", mixed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_kind_follows_from_the_way_the_code_is_written()
    {
        var catalog = Some.Catalog(
            jobs =>
                jobs.Add("async", () => Task.CompletedTask)
                    .Add("value", () => ValueTask.FromResult(1))
                    .Add("blocking", () => 1)
                    .Add<StepsJob>("steps")
                    .Add("out", () => 1, options => options.Kind = JobKind.Process),
            Command("command")
        );
        Assert.Equal(JobKind.Task, catalog.Find("async")!.Kind);
        Assert.Equal(JobKind.Task, catalog.Find("value")!.Kind);
        Assert.Equal(JobKind.Thread, catalog.Find("blocking")!.Kind);
        Assert.Equal(JobKind.Step, catalog.Find("steps")!.Kind);
        Assert.Equal(JobKind.Process, catalog.Find("out")!.Kind);
        Assert.Equal(JobKind.Process, catalog.Find("command")!.Kind);
        Assert.Equal(["async", "blocking", "command", "out", "steps", "value"], catalog.All.Select(job => job.Name));
        Assert.Null(catalog.Find("ASYNC"));
    }

    [Theory]
    [InlineData(JobKind.Thread)]
    [InlineData(JobKind.Step)]
    public void A_kind_that_the_code_is_not_written_for_is_refused(JobKind kind) =>
        Assert.Contains(
            $"cannot run as kind {kind}",
            Problem(() => Task.CompletedTask, options => options.Kind = kind),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_class_must_be_one_kind_of_job()
    {
        var builder = new JobsBuilder(new ServiceCollection());
        Assert.Throws<ArgumentException>(() => builder.Add<object>("none"));
        Assert.Throws<ArgumentException>(() => builder.Add<TwoJobs>("two"));
    }

    [Fact]
    public void Limits_out_of_range_are_refused_by_name()
    {
        Refused(nameof(JobOptions.SoftTimeout), options => options.SoftTimeout = TimeSpan.Zero);
        Refused(nameof(JobOptions.Timeout), options => options.Timeout = TimeSpan.FromDays(366));
        Refused(nameof(JobOptions.ConcurrencyLimit), options => options.ConcurrencyLimit = 0);
        Refused(nameof(JobOptions.QueueLimit), options => options.QueueLimit = -1);
        Refused(nameof(JobOptions.Priority), options => options.Priority = 1001);
        Refused(nameof(JobOptions.OutputLimit), options => options.OutputLimit = -1);
        Refused(nameof(JobOptions.AllowAbort), options => options.AllowAbort = true);
        Refused(nameof(JobOptions.Lane), options => options.Lane = "../up");
        Refused(
            nameof(JobOptions.Lane),
            options =>
            {
                options.Kind = JobKind.Process;
                options.Lane = "calm";
            }
        );
        Refused(
            nameof(JobOptions.OwnThread),
            options =>
            {
                options.Kind = JobKind.Process;
                options.OwnThread = true;
            }
        );
        Refused("Process only", options => options.Limits.CpuTime = TimeSpan.FromSeconds(1));
        Refused("Process only", options => options.Limits.OutputBytes = 1);
        Refused(nameof(JobOptions.Ladder), options => options.Ladder = new(new LadderStep(Rung.Kill, TimeSpan.Zero)));
        Refused("MaxAttempts", options => options.Retry = new() { MaxAttempts = 0 });
        Refused("MaxAttempts", options => options.Retry = new() { MaxAttempts = 101 });
        Refused("InitialDelay", options => options.Retry = new() { InitialDelay = TimeSpan.FromTicks(-1) });
        Refused("MaxDelay", options => options.Retry = new() { MaxDelay = TimeSpan.FromMilliseconds(1) });
        Refused("Multiplier", options => options.Retry = new() { Multiplier = double.NaN });
        Refused("Multiplier", options => options.Retry = new() { Multiplier = 0.5 });
        Refused("Jitter", options => options.Retry = new() { Jitter = double.NaN });
        Refused("Jitter", options => options.Retry = new() { Jitter = 1.5 });

        RefusedLimit(nameof(JobLimits.MemoryBytes), limits => limits.MemoryBytes = 1000);
        RefusedLimit(nameof(JobLimits.Processors), limits => limits.Processors = 0);
        RefusedLimit(nameof(JobLimits.Processors), limits => limits.Processors = double.NaN);
        RefusedLimit(nameof(JobLimits.Processes), limits => limits.Processes = 0);
        RefusedLimit(nameof(JobLimits.OpenFiles), limits => limits.OpenFiles = 10);
        RefusedLimit(nameof(JobLimits.OutputBytes), limits => limits.OutputBytes = -1);
        RefusedLimit(nameof(JobLimits.CpuTime), limits => limits.CpuTime = TimeSpan.Zero);

        static void RefusedLimit(string name, Action<JobLimits> configure) =>
            Refused(
                name,
                options =>
                {
                    options.Kind = JobKind.Process;
                    configure(options.Limits);
                }
            );

        static void Refused(string name, Action<JobOptions> configure) =>
            Assert.Contains(name, Problem(() => Task.CompletedTask, configure), StringComparison.Ordinal);
    }

    [Fact]
    public void The_policy_of_a_command_is_read_and_checked_like_any_other()
    {
        var config = Command(
            "command",
            command =>
            {
                command.Timeout = TimeSpan.FromMinutes(1);
                command.QueueLimit = 3;
                command.Ladder =
                [
                    new() { Rung = Rung.Cancel, Grace = TimeSpan.FromSeconds(1) },
                    new() { Rung = Rung.Kill },
                ];
            }
        );
        var job = Some.Catalog(_ => { }, config).Find("command")!;
        Assert.Equal(TimeSpan.FromMinutes(1), job.Policy.Timeout);
        Assert.Equal(3, job.QueueLimit);
        Assert.Equal("Cancel 1s -> Kill 0s", job.Policy.Ladder.ToString());

        config["command"].Ladder!.Reverse();
        var problem = Assert.Throws<JobConfigurationException>(() => Some.Catalog(_ => { }, config));
        Assert.StartsWith("JobHost:Commands:command:Ladder:", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Guarantees_are_ordered_and_an_unknown_one_is_never_satisfied_by_chance()
    {
        Assert.True(KillGuarantees.Satisfies(KillGuarantees.Group, KillGuarantees.Cooperative));
        Assert.True(KillGuarantees.Satisfies(KillGuarantees.BestEffort, KillGuarantees.BestEffort));
        Assert.False(KillGuarantees.Satisfies(KillGuarantees.Cooperative, KillGuarantees.Group));
        Assert.False(KillGuarantees.Satisfies(KillGuarantees.Cooperative, "pidns"));
        Assert.False(KillGuarantees.Satisfies(KillGuarantees.Group, "pidns"));
    }

    [Fact(Timeout = 30000)]
    public async Task An_instance_of_a_job_is_disposed_with_its_run()
    {
        DisposableJob.Disposed = false;
        var body = Some.Body<DisposableJob>();
        await using var services = new ServiceCollection().AddRunScope().BuildServiceProvider();
        await using (var scope = services.CreateAsyncScope())
        {
            var context = Some.Context(Some.QueuedRun(), TimeProvider.System);
            Assert.Equal("ran", await body.RunAsync(scope.ServiceProvider, new NoParameters(), context));
            Assert.False(DisposableJob.Disposed);
        }
        Assert.True(DisposableJob.Disposed);
    }

    private static string Problem(Delegate body, Action<JobOptions> configure) =>
        Assert.Throws<JobConfigurationException>(() => Some.Catalog(jobs => jobs.Add("job", body, configure))).Message;

    private static Dictionary<string, CommandConfig> Command(string name, Action<CommandConfig>? configure = null)
    {
        var config = new CommandConfig { File = "/bin/sh" };
        configure?.Invoke(config);
        return new(StringComparer.Ordinal) { [name] = config };
    }

    private sealed class StepsJob : IStepJob<NoParameters>
    {
        public async IAsyncEnumerable<Step> RunAsync(
            NoParameters parameters,
            JobContext context,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            await Task.Yield();
            yield return Step.Next;
        }
    }

    private sealed class TwoJobs : IJob<NoParameters>, IThreadJob<NoParameters>
    {
        public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken) => null;

        public Task<object?> RunAsync(
            NoParameters parameters,
            JobContext context,
            CancellationToken cancellationToken
        ) => Task.FromResult<object?>(null);
    }

    private sealed class DisposableJob : IJob<NoParameters>, IAsyncDisposable
    {
        internal static bool Disposed { get; set; }

        public Task<object?> RunAsync(
            NoParameters parameters,
            JobContext context,
            CancellationToken cancellationToken
        ) => Task.FromResult<object?>("ran");

        public ValueTask DisposeAsync()
        {
            Disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}

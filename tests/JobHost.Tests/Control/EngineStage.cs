using JobHost.Clock;
using JobHost.Control;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Execution.Stacks;
using JobHost.Jobs;
using JobHost.Nodes;
using JobHost.Runs;
using JobHost.Tests.Support;

namespace JobHost.Tests.Control;

/// <summary>The whole engine, with scripted attempts, a store in memory and a clock that the test winds.</summary>
internal sealed class EngineStage : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly OutputCollector collector = new();

    internal EngineStage(
        SlotLimits slots,
        Action<JobsBuilder> jobs,
        MemoryRunStore? store = null,
        TestTime? time = null
    )
    {
        Store = store ?? new();
        Time = time ?? new();
        Executors = Enum.GetValues<JobKind>().ToDictionary(kind => kind, kind => new ScriptedExecutor(kind, Time));
        var node = new NodeIdentity("node", Interlocked.Increment(ref epochs), "instance");
        var folders = new RunFolders(folder.Path);
        Catalog = Some.Catalog(jobs);
        var stacks = new RunStacks(reader: null, Time);
        var autopsies = new Autopsies(stacks, folders, Time, Log.For<Autopsies>());
        var parameters = new ParameterFiles(folder.Path, folders);
        Runner = new(
            node,
            Store,
            Executors.Values,
            folders,
            parameters,
            collector,
            autopsies,
            Time,
            Log.For<AttemptRunner>()
        );
        Dispatcher = new(Runner, LiveRuns, slots, Time, Log.For<Dispatcher>());
        Registry = new(
            Catalog,
            node,
            new(),
            Store,
            new(Store, Time),
            LiveRuns,
            Dispatcher,
            folders,
            parameters,
            new(
                new("none", []),
                new("instance", folders),
                new PortableTier(),
                new(Min: 0, Max: 0, Timeout.InfiniteTimeSpan),
                Time,
                Log.For<WorkerPool>()
            ),
            stacks,
            autopsies,
            Time,
            Log.For<JobRegistry>()
        );
        Clock = new(Registry, Time);
        Schedules = new(
            Registry,
            Store,
            Clock,
            misfireThreshold: TimeSpan.FromMinutes(1),
            limit: 3,
            Time,
            Log.For<ScheduleRegistry>()
        );
    }

    private static long epochs;

    internal TestTime Time { get; }

    internal MemoryRunStore Store { get; }

    internal EventLog Log { get; } = new();

    internal LiveRuns LiveRuns { get; } = new();

    internal JobCatalog Catalog { get; }

    internal Dictionary<JobKind, ScriptedExecutor> Executors { get; }

    internal AttemptRunner Runner { get; }

    internal Dispatcher Dispatcher { get; }

    internal JobRegistry Registry { get; }

    internal ScheduleClock Clock { get; }

    internal ScheduleRegistry Schedules { get; }

    internal ScriptedExecutor Tasks => Executors[JobKind.Task];

    internal async Task<Run> StartAsync(
        string job,
        Action<StartRequest>? check = null,
        int? priority = null,
        DateTimeOffset? notBefore = null
    )
    {
        var request = new StartRequest
        {
            Job = job,
            Priority = priority,
            NotBefore = notBefore,
        };
        check?.Invoke(request);
        return Assert.IsType<StartResult.Accepted>(await Registry.StartAsync(request)).Run;
    }

    internal Task<StopResult> StopAsync(Run run, StopLevel level) =>
        Registry.StopAsync(run.Id, "test", level, null, grace: null, escalate: true);

    internal async Task<Run> EndedAsync(Run run)
    {
        var ended = await Registry.WaitAsync(run.Id, Timeout.InfiniteTimeSpan, CancellationToken.None);
        Assert.True(ended!.IsEnded);
        return ended;
    }

    public void Dispose()
    {
        Dispatcher.Dispose();
        collector.Dispose();
        folder.Dispose();
    }
}

using JobHost.Clock;
using JobHost.Runs;
using JobHost.Schedules;
using JobHost.Tests.Control;
using JobHost.Tests.Support;
using JobHost.Worker.Running;

namespace JobHost.Tests.Clock;

/// <summary>An engine with one schedule of one job, on a clock that the test winds; it is looked what is due when the test says so.</summary>
internal sealed class ScheduleStage : IDisposable
{
    internal const string Id = "every-minute";

    private ScheduleStage(EngineStage engine)
    {
        Engine = engine;
    }

    internal EngineStage Engine { get; }

    internal TestTime Time => Engine.Time;

    internal Schedule Schedule => Engine.Schedules.Find(Id)!;

    internal static ScheduleSpec Spec(
        OverlapPolicy overlap = OverlapPolicy.Queue,
        MisfirePolicy misfire = MisfirePolicy.FireOnce,
        string cron = "* * * * *"
    ) =>
        new()
        {
            Job = "a",
            Cron = cron,
            TimeZone = "UTC",
            Overlap = overlap,
            Misfire = misfire,
            Run = new(),
        };

    /// <summary>An engine at 12:00:00, with a schedule that is due each minute.</summary>
    internal static async Task<ScheduleStage> CreateAsync(ScheduleSpec? spec = null, Action<JobOptions>? job = null)
    {
        var stage = new ScheduleStage(Open(new(), new(), job));
        Assert.IsType<ScheduleResult.Created>(await stage.PutAsync(spec ?? Spec()));
        return stage;
    }

    /// <summary>The next life, on what this one has recorded; what executed here is gone.</summary>
    internal async Task<ScheduleStage> RebornAsync()
    {
        var next = new ScheduleStage(Open(Engine.Store, Time, job: null));
        await next.Engine.Registry.RecoverAsync(
            allGone: true,
            leftovers: null!,
            next.Engine.Runner,
            CancellationToken.None
        );
        await next.Engine.Schedules.RecallAsync();
        return next;
    }

    internal Task<ScheduleResult> PutAsync(ScheduleSpec spec, string id = Id) =>
        Engine.Schedules.PutAsync(id, spec, "test", _ => true);

    /// <summary>Lets time pass, and looks what is due.</summary>
    internal async Task PassAsync(TimeSpan time)
    {
        Time.Advance(time);
        await LookAsync();
    }

    internal Task PassAsync(int minutes) => PassAsync(TimeSpan.FromMinutes(minutes));

    internal Task LookAsync() => Engine.Clock.LookAsync();

    /// <summary>The next run that begins: the instant that it is for, and the handle on its attempt.</summary>
    internal async Task<(string DueAt, ScriptedExecution Execution, Run Run)> BegunAsync()
    {
        var (order, execution) = await Engine.Tasks.StartedAsync();
        return (Text(order.Run.Schedule!.DueAt), execution, order.Run);
    }

    /// <summary>Ends a run, and waits until what waits for that could be started.</summary>
    internal async Task EndAsync(ScriptedExecution execution, Run run, BodyEnding ending = BodyEnding.Returned)
    {
        execution.End(ending);
        await Engine.EndedAsync(run);
        await LookAsWokenAsync();
    }

    /// <summary>Looks until what waits has been woken, as what it waited for is out of the way; once where nothing waits.</summary>
    internal async Task LookAsWokenAsync()
    {
        var waiting = Schedule.Waiting.Length;
        do
        {
            await Task.Yield();
            await LookAsync();
        } while (waiting > 0 && Schedule.Waiting.Length == waiting);
    }

    /// <summary>What was told of schedules, with the instants and numbers where there are some.</summary>
    internal async Task<IEnumerable<string>> ToldAsync() =>
        (await Engine.Store.EventsAsync(new() { Topics = [EventTopic.Schedule], Limit = 1000 })).Select(told =>
            $"{told.Type[9..]} {Text(told.DueAt)}{(told.Count is { } count ? $" x{count}" : "")}".TrimEnd()
        );

    /// <summary>The instants that have a run, in the order in which these were accepted.</summary>
    internal async Task<IEnumerable<string>> FiredAsync() =>
        (await ToldAsync()).Where(told => told.StartsWith("fired", StringComparison.Ordinal)).Select(told => told[6..]);

    public void Dispose() => Engine.Dispose();

    private static EngineStage Open(MemoryRunStore store, TestTime time, Action<JobOptions>? job)
    {
        var engine = new EngineStage(
            new(1000, 1, 1, 1),
            jobs => jobs.Add("a", (string? at = null) => Task.FromResult(at), job),
            store,
            time
        );
        engine.Dispatcher.Open();
        return engine;
    }

    private static string Text(DateTimeOffset? instant) => instant?.ToString("HH:mm:ss") ?? "";
}

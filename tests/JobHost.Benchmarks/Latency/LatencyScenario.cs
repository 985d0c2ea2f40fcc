using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Runs;

namespace JobHost.Benchmarks.Latency;

/// <summary>
/// How long one run takes that is alone: from the call in process, which records it on disk first, until its code runs, until it
/// has ended on disk, or from the wish to cancel it until its end is on disk.
/// </summary>
internal sealed class LatencyScenario : IScenario
{
    private const string True = "true";
    private const string Tells = "tells";

    private static readonly (string Key, string Value)[] Commands =
    [
        ($"Commands:{True}:File", True),
        ($"Commands:{Tells}:File", "/bin/sh"),
        ($"Commands:{Tells}:Arguments:0", "-c"),
        ($"Commands:{Tells}:Arguments:1", "echo > \"$0\""),
        ($"Commands:{Tells}:Arguments:2", "{pipe}"),
        ($"Commands:{Tells}:Parameters:pipe:Required", "true"),
    ];

    public string Name => "latency";

    public string Measures => "one run alone: from the call in process until its code runs, or until it has ended";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        await using var node = await EmbeddedNode.StartAsync(
            Path.Join(folder.Path, "warm"),
            cancellationToken,
            [.. Commands, ("Worker:MinIdle", "1"), ("Worker:MaxIdle", "1")]
        );
        await using var cold = await EmbeddedNode.StartAsync(
            Path.Join(folder.Path, "cold"),
            cancellationToken,
            [.. Commands, ("Worker:MaxIdle", "0")]
        );
        using var told = new NamedPipe(Path.Join(folder.Path, "told"));
        var measured = await Rounds.MeasureAsync(
            [
                Contender.Of("fork, exec and wait of /bin/true", _ => Done(RunBare)),
                Contender.Of("Process.Start of /bin/true and WaitForExit", _ => Done(RunByLibrary)),
                Begins("task: to its code", node, BenchmarkJobs.TellsAsTask),
                Begins("thread: to its code", node, BenchmarkJobs.TellsAsThread),
                Begins("step: to its code", node, BenchmarkJobs.TellsAsStep),
                BeginsInWorker("process, a worker waits: to its code", node, BenchmarkJobs.TellsAsProcess, told),
                BeginsInWorker("process, none waits: to its code", cold, BenchmarkJobs.TellsAsProcess, told),
                BeginsInWorker("command, a worker waits: to its code", node, Tells, told),
                BeginsInWorker("command, none waits: to its code", cold, Tells, told),
                Ends("command /bin/true, a worker waits: to its recorded end", node, True),
                Ends("command /bin/true, none waits: to its recorded end", cold, True),
                Ends("task: to its recorded end", node, BenchmarkJobs.Noop),
                Cancels("task: from the wish to cancel to the recorded end", node, BenchmarkJobs.Obeys),
                Cancels("thread: from the wish to cancel to the recorded end", node, BenchmarkJobs.ObeysAsThread),
                Cancels("step: from the wish to cancel to the recorded end", node, BenchmarkJobs.ObeysAsStep),
                CancelsInWorker("process: from the wish to cancel to the recorded end", node, told),
            ],
            settings.Rounds,
            cancellationToken
        );
        yield return new(Name, [.. measured.Take(2)], [.. measured.Skip(2)], Rival: null);
    }

    private static Task Done(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private static void RunBare()
    {
        using var child = new BareChild("/bin/true", []);
        child.Wait();
    }

    private static void RunByLibrary()
    {
        using var process = Process.Start("/bin/true");
        process.WaitForExit();
    }

    private static Contender Begins(string name, EmbeddedNode node, string job) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    var begun = BenchmarkJobs.NextTold();
                    var run = await node.StartAsync(job);
                    await begun.WaitAsync(cancellationToken);
                    return () => node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
                })
        );

    private static Contender BeginsInWorker(string name, EmbeddedNode node, string job, NamedPipe told)
    {
        var parameters = JsonSerializer.SerializeToElement(new { pipe = told.Path });
        return new(
            name,
            async cancellationToken =>
            {
                await node.WhenWorkersWaitAsync(cancellationToken);
                return async () =>
                {
                    var run = await node.StartAsync(job, parameters);
                    told.WaitForNext();
                    return () => node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
                };
            }
        );
    }

    private static Contender Ends(string name, EmbeddedNode node, string job) =>
        new(
            name,
            async cancellationToken =>
            {
                await node.WhenWorkersWaitAsync(cancellationToken);
                return async () =>
                {
                    var run = await node.StartAsync(job);
                    await node.WhenEndedAsync(run, RunState.Succeeded, cancellationToken);
                    return null;
                };
            }
        );

    private static Contender Cancels(string name, EmbeddedNode node, string job) =>
        new(
            name,
            async cancellationToken =>
            {
                var begun = BenchmarkJobs.NextTold();
                var run = await node.StartAsync(job);
                await begun.WaitAsync(cancellationToken);
                return Cancel(node, run, cancellationToken);
            }
        );

    private static Contender CancelsInWorker(string name, EmbeddedNode node, NamedPipe told)
    {
        var parameters = JsonSerializer.SerializeToElement(new { pipe = told.Path, obeys = true });
        return new(
            name,
            async cancellationToken =>
            {
                var run = await node.StartAsync(BenchmarkJobs.TellsAsProcess, parameters);
                told.WaitForNext();
                return Cancel(node, run, cancellationToken);
            }
        );
    }

    private static Func<Task<Func<Task>?>> Cancel(EmbeddedNode node, Run run, CancellationToken cancellationToken) =>
        async () =>
        {
            await node.Registry.StopAsync(run.Id, "benchmark", StopLevel.Cancel, null, null, escalate: false);
            await node.WhenEndedAsync(run, RunState.Cancelled, cancellationToken);
            return null;
        };

    /// <summary>Where code in another process tells that it runs.</summary>
    private sealed class NamedPipe : IDisposable
    {
        private readonly FileStream stream;
        private readonly byte[] buffer = new byte[1];

        internal NamedPipe(string path)
        {
            Path = path;
            using var made = Process.Start("mkfifo", [path]);
            made.WaitForExit();
            // Also its own writer, so that it never ends.
            stream = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        }

        internal string Path { get; }

        internal void WaitForNext() => stream.ReadExactly(buffer);

        public void Dispose() => stream.Dispose();
    }
}

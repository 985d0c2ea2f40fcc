using System.Runtime.InteropServices;
using JobHost.Benchmarks;
using JobHost.Benchmarks.Growth;
using JobHost.Benchmarks.Keys;
using JobHost.Benchmarks.Kills;
using JobHost.Benchmarks.Latency;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Benchmarks.Starts;
using JobHost.Benchmarks.Streams;
using JobHost.Server;
using JobHost.Worker.Main;

// As a process that is measured.
if (await WorkerProcess.TryRunAsync(args, BenchmarkJobs.Add) is { } exitCode)
{
    return exitCode;
}
switch (args)
{
    case [StartedServer.Verb]:
        return await JobHostServer.RunAsync([], (jobs, _) => BenchmarkJobs.Add(jobs));
    case [BareServer.Verb]:
        return await BareServer.RunAsync();
}

IReadOnlyList<IScenario> scenarios =
[
    new StartScenario(),
    new LatencyScenario(),
    new ChurnScenario(),
    new KillScenario(),
    new OutputScenario(),
    new FollowersScenario(),
    new ConcurrentScenario(),
    new GrowthScenario(),
    new RecoveryScenario(),
    new KeyScenario(),
];
using var stopping = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    if (args is [] or ["--help" or "-h", ..])
    {
        Console.WriteLine(Settings.Usage);
        foreach (var scenario in scenarios)
        {
            Console.WriteLine($"  {scenario.Name, -10} {scenario.Measures}");
        }
        return 0;
    }
    var settings = Settings.Parse(args, scenarios);
    var all = new List<Figures>();
    foreach (var scenario in settings.Scenarios)
    {
        Console.WriteLine($"{scenario.Name}: {scenario.Measures}");
        await foreach (var figures in scenario.RunAsync(settings, stopping.Token))
        {
            figures.Write(Console.Out);
            all.Add(figures);
        }
    }
    if (settings.Json is { } file)
    {
        await Figures.WriteJsonAsync(file, all);
    }
    if (settings.Svg is { } picture)
    {
        await Plot.WriteAsync(picture, all);
    }
    return 0;
}
catch (BenchmarkException problem)
{
    Console.Error.WriteLine($"benchmarks: {problem.Message}");
    return 2;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    Console.Error.WriteLine("benchmarks: interrupted; what was started has been ended");
    return 2;
}

void Stop(PosixSignalContext signal)
{
    // Not before what was started has been ended.
    signal.Cancel = true;
    stopping.Cancel();
}

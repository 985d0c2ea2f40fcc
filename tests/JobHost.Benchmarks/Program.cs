using System.Runtime.InteropServices;
using JobHost.Benchmarks;
using JobHost.Benchmarks.Keys;
using JobHost.Benchmarks.Kills;
using JobHost.Benchmarks.Measuring;

IReadOnlyList<IScenario> scenarios = [new KillScenario(), new KeyScenario()];
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

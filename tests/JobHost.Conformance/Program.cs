using System.Runtime.InteropServices;
using JobHost.Conformance;

using var stopping = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    if (args is ["--help" or "-h", ..])
    {
        Console.WriteLine(Settings.Usage);
        return 0;
    }
    var settings = Settings.Parse(args);
    if (settings.WriteConfig is not null)
    {
        await ConformanceSuite.WriteConfigAsync(settings, stopping.Token);
        return 0;
    }
    var board = await ConformanceSuite.RunAsync(settings, Console.Out, stopping.Token);
    board.WriteFailures(Console.Out);
    if (settings.Json is { } file)
    {
        await board.WriteJsonAsync(file);
    }
    return board.IsEmpty ? 2
        : board.IsFlawless ? 0
        : 1;
}
catch (SuiteException problem)
{
    Console.Error.WriteLine($"conformance: {problem.Message}");
    return 2;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    Console.Error.WriteLine("conformance: interrupted; what was started has been ended");
    return 2;
}

void Stop(PosixSignalContext signal)
{
    // Not before the victims are dead.
    signal.Cancel = true;
    stopping.Cancel();
}

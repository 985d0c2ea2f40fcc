using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Worker.Main;

/// <summary>The command of a run: a program that the worker starts, feeds, and waits for.</summary>
/// <param name="line">The program.</param>
/// <param name="takesInput">Whether it reads what is sent to the run.</param>
/// <param name="send">Tells the host what it has read.</param>
/// <param name="zombies">Who must not reap it.</param>
/// <param name="stopToken">Whether it is to stop, maybe before it has begun.</param>
internal sealed class AssignedCommand(
    CommandLine line,
    bool takesInput,
    Action<Message> send,
    AdoptedZombies zombies,
    CancellationToken stopToken
)
{
    private readonly CommandInput input = new(send);
    private volatile Action<int>? forwardSignal;

    /// <summary>Runs it to its end.</summary>
    internal EndedMessage Run()
    {
        try
        {
            var exit = OperatingSystem.IsLinux() ? RunOnLinux() : RunElsewhere();
            return exit.ExitCode == 0
                ? new() { Ending = BodyEnding.Returned, ExitCode = 0 }
                : new()
                {
                    Ending = BodyEnding.Failed,
                    ExitCode = exit.ExitCode,
                    Signal = exit.Signal,
                    Error = new("exit", $"The command {exit}.", null),
                };
        }
        catch (Exception problem) when (problem is IOException or InvalidOperationException or Win32Exception)
        {
            return new() { Ending = BodyEnding.Failed, Error = new("start", problem.Message, null) };
        }
        finally
        {
            input.Finish();
        }
    }

    /// <summary>Asks it to stop, where it has begun; where it has not, it is asked when it does.</summary>
    internal void Terminate() => forwardSignal?.Invoke(Signals.Terminate);

    /// <summary>Something for its standard input.</summary>
    internal void Give(InputMessage given) => input.Add(given);

    [SupportedOSPlatform("linux")]
    private ProcessExit RunOnLinux()
    {
        // A signal to the tree is meant for the command; its worker only waits for it, and must not end of it first.
        var withstood = Signals
            .Withstandable.Select(signal =>
                PosixSignalRegistration.Create((PosixSignal)signal, caught => caught.Cancel = true)
            )
            .ToList();
        var stdin = takesInput ? CommandInput.Open() : default;
        int pid;
        using (stdin.Read)
        {
            pid = Spawn.Start(
                new()
                {
                    File = line.File,
                    Arguments = line.Arguments,
                    Environment = line.Environment,
                    WorkingDirectory = line.WorkingDirectory,
                    Stdin = stdin.Read,
                }
            );
        }
        if (takesInput)
        {
            input.Begin(stdin.Write);
        }
        // Ours and not reaped, so the number is still the command's. Never disposed: a stop may come at the last moment.
        var pidfd = Pidfd.Open(pid) ?? throw new IOException($"Process {pid} cannot be watched.");
        zombies.Own = pid;
        forwardSignal = signal => Pidfd.Signal(pidfd, signal);
        if (stopToken.IsCancellationRequested)
        {
            Pidfd.Signal(pidfd, Signals.Terminate);
        }
        var exit = Children.WaitAndReap(pidfd) ?? default;
        withstood.ForEach(registration => registration.Dispose());
        return exit;
    }

    private ProcessExit RunElsewhere()
    {
        var start = new ProcessStartInfo(line.File, line.Arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = line.WorkingDirectory,
            RedirectStandardInput = takesInput,
        };
        start.Environment.Clear();
        foreach (var (name, value) in line.Environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        if (takesInput)
        {
            input.Begin(process.StandardInput.BaseStream);
        }
        process.WaitForExit();
        return new(process.ExitCode, null);
    }
}

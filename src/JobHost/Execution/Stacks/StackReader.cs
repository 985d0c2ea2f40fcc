using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Text.Json;
using JobHost.Execution.Processes;
using JobHost.Worker.Native;
using JobHost.Worker.Stacks;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Execution.Stacks;

/// <summary>Has the managed threads of a process read, by this program with another verb (<see cref="StackProcess"/>).</summary>
[SupportedOSPlatform("linux")]
internal sealed class StackReader(
    WorkerProgram program,
    WorkerEnvironment environment,
    HostChildren children,
    HostShield shield,
    TimeProvider time
)
{
    private const int MaxAnswer = 4 * 1024 * 1024;

    // The guard of the reader keeps the bound; this is for a guard that does not.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    internal async Task<ManagedStacks> ReadAsync(int pid, TimeSpan bound)
    {
        using var looker = pid == Environment.ProcessId ? shield.Lower() : (HostShield.Looker?)null;
        try
        {
            var (ours, theirs) = Pipes.Pipe();
            await using var answer = Reading(ours);
            int reader;
            using (theirs)
            {
                reader = children.Start(
                    new()
                    {
                        File = program.File,
                        Arguments = [.. program.Arguments, StackProcess.Verb, $"{pid}", $"{bound.TotalMilliseconds:0}"],
                        Environment = environment.ForReader(),
                        WorkingDirectory = "/",
                        Stdout = theirs,
                        NewSession = true,
                    }
                );
            }
            try
            {
                return await HearAsync(answer, reader, bound);
            }
            finally
            {
                children.Forget(reader);
            }
        }
        catch (IOException problem)
        {
            return ManagedStacks.None($"they cannot be read: {problem.Message}");
        }
    }

    private async Task<ManagedStacks> HearAsync(AnonymousPipeClientStream answer, int reader, TimeSpan bound)
    {
        // Ours and not yet reaped, so the number is still the reader's, and its group's.
        using var pidfd = Pidfd.Open(reader);
        if (pidfd is null)
        {
            Children.KillAndReap(reader);
            return ManagedStacks.None("they cannot be read: the reader cannot be watched");
        }
        using var patience = new CancellationTokenSource(bound + Patience, time);
        using var text = new MemoryStream();
        try
        {
            await CopyAsync(answer, text, patience.Token);
            await ChildWatch.WhenEnded(pidfd).WaitAsync(patience.Token);
            return text.Length == 0
                ? ManagedStacks.None($"they were not read within {bound.TotalSeconds:0.#} s")
                : JsonSerializer.Deserialize(text.ToArray(), StacksJson.Default.ManagedStacks)!;
        }
        catch (Exception failed) when (failed is OperationCanceledException or JsonException)
        {
            return ManagedStacks.None($"they were not read within {bound.TotalSeconds:0.#} s");
        }
        finally
        {
            Signals.SendToGroup(reader, Signals.Kill);
            await ChildWatch.WhenEnded(pidfd);
            Children.Reap(pidfd);
        }
    }

    private static async Task CopyAsync(Stream from, MemoryStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await from.ReadAsync(buffer, cancellationToken)) > 0 && to.Length < MaxAnswer)
        {
            to.Write(buffer, 0, count);
        }
    }

    private static AnonymousPipeClientStream Reading(SafeFileHandle pipe)
    {
        var raw = pipe.DangerousGetHandle();
        pipe.SetHandleAsInvalid();
        return new(PipeDirection.In, new SafePipeHandle(raw, ownsHandle: true));
    }
}

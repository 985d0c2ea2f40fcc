using System.Diagnostics;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Proof;

/// <summary>
/// Innocents: processes of the same user that belong to no run. Some sleep; some fork children without pause and know how each
/// has to end, so that numbers are reused around them and a kill that aims by number alone would meet one.
/// </summary>
internal sealed class Bystanders : IAsyncDisposable
{
    private const int Sleeping = 6;
    private const int Forking = 2;

    private readonly VictimProgram program;
    private readonly List<(string Token, Process Process)> all = [];
    private int wrong;

    private Bystanders(VictimProgram program) => this.program = program;

    internal static Bystanders Start(VictimProgram program, IReadOnlyList<string> asUser)
    {
        var bystanders = new Bystanders(program);
        for (var i = 0; i < Sleeping + Forking; i++)
        {
            bystanders.Start(i < Sleeping ? "innocent" : "innocent-parent", $"innocent-{Guid.NewGuid():N}", asUser);
        }
        return bystanders;
    }

    /// <summary>How many were hurt since the last call; those that are dead are replaced by nobody.</summary>
    internal int TakeHurt()
    {
        var dead = all.RemoveAll(innocent => innocent.Process.HasExited);
        return dead + Interlocked.Exchange(ref wrong, 0);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (token, process) in all)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
            await program.ForgetAsync(token);
        }
    }

    private void Start(string body, string token, IReadOnlyList<string> asUser)
    {
        program.Prepare(token);
        string[] command = [.. asUser, program.File, body, program.Root, token, "seconds=86400"];
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        // It says a line for each child that did not end as it had to.
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null)
            {
                Interlocked.Increment(ref wrong);
            }
        };
        process.BeginOutputReadLine();
        all.Add((token, process));
    }
}

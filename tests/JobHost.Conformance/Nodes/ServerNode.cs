using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Nodes;

/// <summary>How a server is started.</summary>
/// <param name="Program">The server's executable.</param>
/// <param name="ConfigFile">With the victims as commands.</param>
/// <param name="Tier">What is asked of it.</param>
/// <param name="Wrapper">What stands before the program: another user, a cage.</param>
internal sealed record ServerSetup(string Program, string ConfigFile, string Tier, IReadOnlyList<string> Wrapper);

/// <summary>
/// A server of the suite's own. Between the two stands a nest, which outlives the server, adopts and reaps what it leaves
/// behind, and kills it only when the suite is done with this server: so a leak is seen for what it is, and stays none.
/// </summary>
internal sealed partial class ServerNode : IAsyncDisposable
{
    private const int Sigterm = 15;
    private const int Sigkill = 9;
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan NestBound = TimeSpan.FromSeconds(30);

    private readonly VictimProgram victims;
    private readonly Process nest;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<int> pid = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerNode(VictimProgram victims, Process nest, string temporaryFolder)
    {
        this.victims = victims;
        this.nest = nest;
        TemporaryFolder = temporaryFolder;
        nest.OutputDataReceived += (_, line) => TakeFromServer(line.Data);
        nest.ErrorDataReceived += (_, line) => TakeFromNest(line.Data);
        nest.BeginOutputReadLine();
        nest.BeginErrorReadLine();
    }

    /// <summary>What marks the server and its workers, though not every process of a job.</summary>
    internal string TemporaryFolder { get; }

    internal NodeApi Api { get; private set; } = null!;

    internal int Pid => pid.Task.Result;

    /// <summary>The parent of the server: what lies below it belongs to this server.</summary>
    internal int NestPid => nest.Id;

    /// <summary>Its exit code, 128 and the signal where one ended it.</summary>
    internal Task<int> Exit => exit.Task;

    internal string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>Whether it listens; else it has refused, for a reason that <see cref="Output"/> tells.</summary>
    internal bool IsListening => listening.Task.IsCompletedSuccessfully;

    /// <summary>A new place for a server's data, which does not exist yet.</summary>
    internal static string NewDataDirectory(VictimProgram victims) =>
        Path.Combine(victims.Root, "home", $"data-{Guid.NewGuid():N}");

    /// <summary>Starts a server, and waits until it listens or has refused.</summary>
    internal static async Task<ServerNode> StartAsync(VictimProgram victims, ServerSetup setup, string dataDirectory)
    {
        var temporary = Path.Combine(victims.Root, "home", $"tmp-{Guid.NewGuid():N}");
        Directory.CreateDirectory(temporary);
        File.SetUnixFileMode(temporary, File.GetUnixFileMode(Path.Combine(victims.Root, "home")));
        var start = new ProcessStartInfo(victims.File, ["nest", .. setup.Wrapper, setup.Program])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = temporary,
        };
        foreach (
            var name in start
                .Environment.Keys.Where(name =>
                    name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
                    || name.StartsWith("JobHost__", StringComparison.OrdinalIgnoreCase)
                )
                .ToList()
        )
        {
            start.Environment.Remove(name);
        }
        start.Environment["TMPDIR"] = temporary;
        start.Environment["HOME"] = temporary;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["JobHost__DataDirectory"] = dataDirectory;
        start.Environment["JobHost__ConfigFile"] = setup.ConfigFile;
        start.Environment["JobHost__Kill__Tier"] = setup.Tier;
        var node = new ServerNode(victims, Process.Start(start)!, temporary);
        await node.pid.Task.WaitAsync(StartBound);
        await Task.WhenAny(node.listening.Task, node.exit.Task).WaitAsync(StartBound);
        if (node.IsListening)
        {
            node.Api = new(await node.listening.Task);
        }
        return node;
    }

    /// <summary>The server's keeper, or null where it has none.</summary>
    internal int? Keeper()
    {
        var keepers = ProcessOracle
            .ChildrenOf(Pid)
            .Where(child => ProcessOracle.Arguments(child).Contains("keep", StringComparer.Ordinal))
            .ToList();
        return keepers.Count > 0 ? keepers[0] : null;
    }

    /// <summary>SIGKILL to the server, and to others of its processes in the same breath.</summary>
    internal async Task KillAsync(params IEnumerable<int> others)
    {
        await victims.SignalAsync(Sigkill, [Pid, .. others]);
        await Exit;
    }

    /// <summary>SIGKILL to another process of this server alone.</summary>
    internal Task KillOtherAsync(int other) => victims.SignalAsync(Sigkill, other);

    /// <summary>SIGTERM, and the exit code.</summary>
    internal async Task<int> TerminateAsync()
    {
        await victims.SignalAsync(Sigterm, Pid);
        return await Exit;
    }

    public async ValueTask DisposeAsync()
    {
        nest.StandardInput.Close();
        using var bound = new CancellationTokenSource(NestBound);
        try
        {
            await nest.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            nest.Kill();
        }
        Api?.Dispose();
        nest.Dispose();
    }

    private void TakeFromServer(string? line)
    {
        if (line is null)
        {
            return;
        }
        lock (output)
        {
            output.AppendLine(line);
        }
        if (Listening().Match(line) is { Success: true } at)
        {
            listening.TrySetResult(new(at.Groups["address"].Value));
        }
    }

    private void TakeFromNest(string? line)
    {
        if (line is not null && Nest().Match(line) is { Success: true } said)
        {
            (said.Groups["what"].Value == "server" ? pid : exit).TrySetResult(
                int.Parse(said.Groups["number"].Value, CultureInfo.InvariantCulture)
            );
        }
    }

    [GeneratedRegex("Now listening on: (?<address>\\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Listening();

    [GeneratedRegex("^nest: (?<what>server|exit) (?<number>\\d+)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Nest();
}

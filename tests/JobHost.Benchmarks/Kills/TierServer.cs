using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Benchmarks.Measuring;
using JobHost.Worker.Native;

namespace JobHost.Benchmarks.Kills;

/// <summary>A server process of the benchmark's own that kills by one tier, with its data in a folder of its own.</summary>
internal sealed partial class TierServer : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly string tier;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient client = new() { Timeout = Bound };

    private TierServer(Process process, string tier)
    {
        this.process = process;
        this.tier = tier;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Why the server would not start, in the words of its last line; null where it listens.</summary>
    internal string? Refusal { get; private set; }

    /// <summary>Starts a server, and waits until it listens or has refused.</summary>
    internal static async Task<TierServer> StartAsync(
        string program,
        string folder,
        string tier,
        CancellationToken cancellationToken
    )
    {
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"there is no server at '{program}'");
        }
        var config = Path.Join(folder, $"{tier}.json");
        await File.WriteAllTextAsync(config, Configuration(tier), cancellationToken);
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["JobHost__DataDirectory"] = Path.Join(folder, tier);
        start.Environment["JobHost__ConfigFile"] = config;
        var server = new TierServer(Process.Start(start)!, tier);
        var exit = server.process.WaitForExitAsync(cancellationToken);
        if (await Task.WhenAny(server.listening.Task, exit).WaitAsync(Bound, cancellationToken) == exit)
        {
            server.Refusal = server.LastLine();
        }
        else
        {
            server.client.BaseAddress = await server.listening.Task;
        }
        return server;
    }

    /// <summary>
    /// One client waits for the end of a run of the victim; the time is that from another's request to kill it until the
    /// first has its answer.
    /// </summary>
    internal Contender Kill(Victim victim) =>
        new(
            $"{victim.Job}: tier {tier}",
            async cancellationToken =>
            {
                var id = await StartAsync(victim, cancellationToken);
                var end = ShowAsync(id, wait: true, cancellationToken);
                return async () =>
                {
                    using var answer = await client.PostAsync(Of($"/api/v1/runs/{id}/kill"), null, cancellationToken);
                    answer.EnsureSuccessStatusCode();
                    var run = await end;
                    return () => CheckAsync(id, run, cancellationToken);
                };
            }
        );

    /// <summary>The least that a request over HTTP costs.</summary>
    internal async Task PingAsync()
    {
        using var answer = await client.GetAsync(Of("/healthz/live"));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Asks the server to end, with its runs.</summary>
    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (!process.HasExited)
        {
            using (var pidfd = Pidfd.Open(process.Id))
            {
                _ = pidfd is not null && Pidfd.Signal(pidfd, Signals.Terminate);
            }
            using var bound = new CancellationTokenSource(Bound);
            await process.WaitForExitAsync(bound.Token);
        }
        process.Dispose();
    }

    private async Task<string> StartAsync(Victim victim, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsJsonAsync(
            Of($"/api/v1/jobs/{victim.Job}/runs"),
            new { },
            cancellationToken
        );
        answer.EnsureSuccessStatusCode();
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken))
            .GetProperty("id")
            .GetString()!;
        var worker = 0;
        await Tree.WhenAsync(
            async () =>
                (await ShowAsync(id, wait: false, cancellationToken)).TryGetProperty("processId", out var pid)
                && pid.ValueKind == JsonValueKind.Number
                && pid.TryGetInt32(out worker),
            cancellationToken
        );
        await Tree.WhenCompleteAsync(worker, victim, hasWorker: true, cancellationToken);
        return id;
    }

    private async Task<JsonElement> ShowAsync(string id, bool wait, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Of($"/api/v1/runs/{id}"));
        if (wait)
        {
            request.Headers.Add("Prefer", $"wait={Bound.TotalSeconds:0}");
        }
        using var answer = await client.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    /// <exception cref="BenchmarkException">The run did not end as it should: then its time means nothing.</exception>
    private async Task CheckAsync(string id, JsonElement run, CancellationToken cancellationToken)
    {
        var receipt = await client.GetFromJsonAsync<JsonElement>(
            Of($"/api/v1/runs/{id}/termination"),
            cancellationToken
        );
        if (
            // A victim that hears the first rung may obey before the kill meets it.
            run.GetProperty("state").GetString()
                is not ("killed" or "cancelled")
            || receipt.GetProperty("verdict").GetString() != "gone"
            || receipt.GetProperty("verifiedBy").ValueKind != JsonValueKind.String
        )
        {
            throw new BenchmarkException($"tier {tier}: a run was not killed: {run} {receipt}");
        }
    }

    private static string Configuration(string tier) =>
        JsonSerializer.Serialize(
            new
            {
                JobHost = new
                {
                    Samples = false,
                    Kill = new { Tier = tier },
                    Commands = new[] { Victim.Sleep, Victim.Tree }.ToDictionary(
                        victim => victim.Job,
                        victim => new { victim.File, victim.Arguments }
                    ),
                },
            }
        );

    private static Uri Of(string path) => new(path, UriKind.Relative);

    private void Take(string? line)
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

    private string LastLine()
    {
        lock (output)
        {
            return output
                .ToString()
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .LastOrDefault("it says nothing");
        }
    }

    [GeneratedRegex("Now listening on: (?<address>\\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Listening();
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace JobHost.Conformance.Nodes;

/// <summary>A run as the node tells it, and what of it helps to understand a failure, in words.</summary>
internal sealed record RunView(string State, int? ExitCode, string? Signal, int Leaked, int? ProcessId, string Text)
{
    internal bool IsEnded => State is not ("queued" or "running" or "stuck");

    internal static RunView Of(JsonElement run) =>
        new(
            run.GetProperty("state").GetString()!,
            Number(run, "exitCode"),
            run.TryGetProperty("signal", out var signal) ? signal.GetString() : null,
            Number(run, "leaked") ?? 0,
            Number(run, "processId"),
            string.Join(
                ", ",
                new[] { "id", "state", "stop", "exitCode", "signal", "error" }
                    .Where(name => run.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                    .Select(name => $"{name} {run.GetProperty(name)}")
            )
        );

    private static int? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetInt32()
            : null;
}

/// <summary>The HTTP contract, as far as the suite needs it. An answer that never came is null, as hosts are killed here.</summary>
internal sealed class NodeApi(Uri address) : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 })
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(60),
    };

    public void Dispose() => client.Dispose();

    internal async Task<bool> IsLiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/healthz/live", UriKind.Relative), cancellationToken);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception refused) when (refused is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Starts a run and returns its id; null when the host is gone.</summary>
    internal async Task<string?> StartAsync(string job, object body)
    {
        var answer = await SendAsync(HttpMethod.Post, $"/api/v1/jobs/{job}/runs", body, null);
        return answer is null ? null
            : answer is { Status: 202, Body: var run } ? run.GetProperty("id").GetString()
            : throw new SuiteException($"the node did not start '{job}': {answer.Status} {answer.Body}");
    }

    internal async Task<RunView?> FindAsync(string id, int? waitSeconds = null) =>
        await SendAsync(HttpMethod.Get, $"/api/v1/runs/{id}", null, waitSeconds) is { Status: 200, Body: var run }
            ? RunView.Of(run)
            : null;

    /// <summary>The runs that are not ended, each with the token that the suite gave it; for less than a page of them.</summary>
    internal async Task<IReadOnlyList<(string Id, string Token)>> UnfinishedAsync() =>
        await SendAsync(HttpMethod.Get, "/api/v1/runs?state=queued&state=running&state=stuck&pageSize=500", null, null)
            is { Status: 200, Body: var page }
            ?
            [
                .. page.GetProperty("items")
                    .EnumerateArray()
                    .Select(run =>
                        (
                            run.GetProperty("id").GetString()!,
                            run.GetProperty("parameters").GetProperty("token").GetString()!
                        )
                    ),
            ]
            : throw new SuiteException("the node does not list its runs");

    /// <summary>Waits for the moment in which the node says that a run has ended.</summary>
    internal async Task<RunView?> EndAsync(string id, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var run = await FindAsync(id, waitSeconds: 10);
            if (run is null or { IsEnded: true })
            {
                return run;
            }
        }
        return null;
    }

    /// <summary>Asks for a stop; returns the status, or null when the host is gone.</summary>
    internal async Task<int?> StopAsync(string id, string verb, object body) =>
        (await SendAsync(HttpMethod.Post, $"/api/v1/runs/{id}/{verb}", body, null))?.Status;

    internal async Task<JsonElement?> TerminationAsync(string id) =>
        await SendAsync(HttpMethod.Get, $"/api/v1/runs/{id}/termination", null, null)
            is { Status: 200, Body: var receipt }
            ? receipt
            : null;

    /// <summary>What the node promises for a job.</summary>
    internal async Task<string?> GuaranteeAsync(string job) =>
        await SendAsync(HttpMethod.Get, $"/api/v1/jobs/{job}", null, null) is { Status: 200, Body: var found }
            ? found.GetProperty("killGuarantee").GetString()
            : null;

    private async Task<Answer?> SendAsync(HttpMethod method, string path, object? body, int? waitSeconds)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : JsonContent.Create(body);
        if (waitSeconds is { } seconds)
        {
            request.Headers.Add("Prefer", $"wait={seconds}");
        }
        try
        {
            using var response = await client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return new((int)response.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text));
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private sealed record Answer(int Status, JsonElement Body);
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>The HTTP API as a test speaks it: answers are JSON, statuses are asserted where they are expected.</summary>
public sealed class ApiClient(HttpClient client)
{
    private const string Root = "/api/v1";

    public HttpClient Client => client;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Starts a run and returns its id.</summary>
    public async Task<string> StartAsync(string job, object? parameters = null, object? more = null)
    {
        var (status, body) = await PostAsync($"/jobs/{job}/runs", Merge(parameters, more));
        Assert.True(status == HttpStatusCode.Accepted, $"{status}: {body}");
        return body.GetProperty("id").GetString()!;
    }

    /// <summary>Starts a run and waits for its end.</summary>
    public async Task<JsonElement> RunAsync(string job, object? parameters = null, object? more = null) =>
        await EndAsync(await StartAsync(job, parameters, more));

    public async Task<JsonElement> GetRunAsync(string id) => (await GetAsync($"/runs/{id}", HttpStatusCode.OK)).Body;

    /// <summary>Waits until the run has ended, and returns it. Where the test's time is over before, it says how the run was.</summary>
    public async Task<JsonElement> EndAsync(string id)
    {
        JsonElement run = default;
        try
        {
            while (true)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"{Root}/runs/{id}");
                request.Headers.Add("Prefer", "wait=20");
                run = (await SendAsync(request)).Body;
                if (!Is(run, "queued") && !Is(run, "running") && !Is(run, "stuck"))
                {
                    return run;
                }
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It has not ended: {run}");
            throw;
        }
    }

    /// <summary>Waits until the run is in a state; fails at once when it ends in another.</summary>
    public async Task<JsonElement> UntilAsync(string id, string state) =>
        await UntilAsync(id, run => Is(run, state), $"state {state}");

    /// <summary>Waits until the run is as wanted; fails at once when it has ended and is not.</summary>
    public async Task<JsonElement> UntilAsync(string id, Func<JsonElement, bool> wanted, string what)
    {
        while (true)
        {
            var run = await GetRunAsync(id);
            if (wanted(run))
            {
                return run;
            }
            Assert.False(run.GetProperty("endedAt").ValueKind == JsonValueKind.String, $"Waited for {what}: {run}");
            await Task.Delay(20, Token);
        }
    }

    public Task<(HttpStatusCode Status, JsonElement Body)> CancelAsync(string id, object? body = null) =>
        PostAsync($"/runs/{id}/cancel", body);

    public Task<(HttpStatusCode Status, JsonElement Body)> KillAsync(
        string id,
        object? body = null,
        int? wait = null
    ) => PostAsync($"/runs/{id}/kill", body, wait is { } seconds ? ("Prefer", $"wait={seconds}") : null);

    public async Task<JsonElement> TerminationAsync(string id) =>
        (await GetAsync($"/runs/{id}/termination", HttpStatusCode.OK)).Body;

    public async Task<string> LogAsync(string id, string stream = "log") =>
        await client.GetStringAsync($"{Root}/runs/{id}/logs?stream={stream}", Token);

    public async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path, HttpStatusCode? expected = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Root + path);
        var (status, body) = await SendAsync(request);
        Assert.True(expected is null || status == expected, $"{status}: {body}");
        return (status, body);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(
        string path,
        object? body,
        params (string Name, string Value)?[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Root + path);
        if (body is not null)
        {
            request.Content = body as HttpContent ?? JsonContent.Create(body);
        }
        foreach (var header in headers)
        {
            if (header is var (name, value))
            {
                request.Headers.Add(name, value);
            }
        }
        return await SendAsync(request);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpRequestMessage request)
    {
        using var response = await client.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Contract.Note(request, response, text);
        var isJson =
            response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return (response.StatusCode, isJson ? JsonElement.Parse(text) : JsonSerializer.SerializeToElement(text));
    }

    public static bool Is(JsonElement run, string state) => run.GetProperty("state").GetString() == state;

    /// <summary>Asserts a problem document with this slug.</summary>
    public static void IsProblem((HttpStatusCode Status, JsonElement Body) answer, int status, string slug)
    {
        Assert.True(
            (int)answer.Status == status && answer.Body.ValueKind == JsonValueKind.Object,
            $"{answer.Status}: {answer.Body}"
        );
        Assert.Equal($"/problems/{slug}", answer.Body.GetProperty("type").GetString());
        Assert.Equal(status, answer.Body.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(answer.Body.GetProperty("title").GetString()));
    }

    private static Dictionary<string, object?> Merge(object? parameters, object? more)
    {
        var body = new Dictionary<string, object?>();
        foreach (var property in more?.GetType().GetProperties() ?? [])
        {
            body[property.Name] = property.GetValue(more);
        }
        if (parameters is not null)
        {
            body["parameters"] = parameters;
        }
        return body;
    }

    /// <summary>The node's readiness, whatever it is.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> ReadyAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz/ready");
        return await SendAsync(request);
    }
}

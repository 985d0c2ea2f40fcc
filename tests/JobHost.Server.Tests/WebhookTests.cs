using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JobHost.Server.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace JobHost.Server.Tests;

/// <summary>Webhooks: every event that is wanted arrives, signed, whatever happens to the receiver or to the server.</summary>
public sealed class WebhookTests
{
    private const string Secret = "Hunter2-must-not-leak";
    private const string Hooks = "/api/v1/webhooks";

    [Fact(Timeout = 120_000)]
    public async Task What_is_wanted_arrives_once_in_order_and_signed()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var server = new InProcessServer(
            Hook(receiver.Url + "/hook?token=in-the-url", events: ["run.*"], jobs: ["result"])
        );
        await ListensAsync(server.Api);
        await server.Api.RunAsync("throws");

        var id = (await server.Api.RunAsync("result")).Text("id");
        await ArrivedAsync(receiver, 3);

        var told = receiver.Received.Select(request => JsonElement.Parse(request.Body)).ToList();
        Assert.Equal(["run.queued", "run.running", "run.succeeded"], told.Select(one => one.Text("type")));
        Assert.All(told, one => Assert.Equal(id, one.Text("runId")));
        var events = (await server.Api.FetchAsync($"/api/v1/runs/{id}/events")).Expect(200).GetProperty("items");
        foreach (var (request, recorded) in receiver.Received.Zip(events.EnumerateArray()))
        {
            // The very same JSON that the API answers with.
            Assert.Equal(recorded.GetRawText(), Encoding.UTF8.GetString(request.Body));
            Assert.Equal(("POST", "/hook"), (request.Method, request.Path));
            Assert.Equal("application/json; charset=utf-8", request.Headers["Content-Type"]);
            Assert.Equal(recorded.Text("id"), request.Headers["JobHost-Event-Id"]);
            Assert.Equal(SignatureOf(request), request.Headers["JobHost-Signature"]);
        }
        var listed = Assert.Single(
            (await server.Api.FetchAsync(Hooks)).Expect(200).GetProperty("items").EnumerateArray()
        );
        Assert.Equal((receiver.Url, "hook"), (listed.Text("origin"), listed.Text("name")));
        var deliveries = await UntilDeliveredAsync(server.Api, 3);
        Assert.Equal(
            [
                ("run.succeeded", "delivered", "1", "200"),
                ("run.running", "delivered", "1", "200"),
                ("run.queued", "delivered", "1", "200"),
            ],
            deliveries.Select(one =>
                (one.Text("eventType"), one.Text("state"), one.Text("attempts"), one.Text("status"))
            )
        );
        var page = (await server.Api.FetchAsync($"{Hooks}/hook/deliveries?pageSize=2")).Expect(200);
        var rest = await server.Api.FetchAsync($"{Hooks}/hook/deliveries?pageToken={page.Text("nextPageToken")}");
        Assert.Equal(
            "run.queued",
            Assert.Single(rest.Expect(200).GetProperty("items").EnumerateArray()).Text("eventType")
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Nothing_is_lost_while_the_receiver_and_the_server_are_down()
    {
        var port = FreePort();
        var url = $"http://127.0.0.1:{port}";
        var data = ServerProcess.NewDataDirectory();
        // Not given up within the first life, however long it lasts.
        var hook = Hook(url, events: ["run.*"]);
        hook["JobHost:Webhooks:0:MaxAttempts"] = "20";
        hook["JobHost:Webhooks:0:InitialDelay"] = "00:00:01";
        var settings = Arguments(hook);
        string id;
        await using (var first = await ServerProcess.StartAsync(data, settings: settings))
        {
            await ListensAsync(first.Api);
            id = (await first.Api.RunAsync("result")).Text("id");
            await Poll.UntilAsync(
                async () => (await DeliveriesAsync(first.Api)).Count == 0 ? "nothing was tried" : null,
                "an attempt"
            );
            await first.KillAsync();
        }
        await using var receiver = await HttpReceiver.StartAsync(port: port);
        await using var second = await ServerProcess.StartAsync(data, settings: settings);

        await ArrivedAsync(receiver, 3);

        Assert.Equal(
            ["run.queued", "run.running", "run.succeeded"],
            receiver.Received.Select(request => JsonElement.Parse(request.Body).Text("type"))
        );
        Assert.All(receiver.Received, request => Assert.Equal(id, JsonElement.Parse(request.Body).Text("runId")));
        // What the life before had tried counts.
        var queued = (await UntilDeliveredAsync(second.Api, 3))[^1];
        Assert.True(int.Parse(queued.Text("attempts")) >= 2, queued.ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_event_arrives_across_kills_of_the_server()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        var settings = Arguments(Hook(receiver.Url, events: ["run.succeeded"]));
        var data = ServerProcess.NewDataDirectory();
        var ids = new HashSet<string>();
        for (var round = 0; round < 3; round++)
        {
            await using var server = await ServerProcess.StartAsync(data, settings: settings);
            await ListensAsync(server.Api);
            for (var i = 0; i < 10; i++)
            {
                ids.Add((await server.Api.RunAsync("result")).Text("id"));
            }
            await server.KillAsync();
        }
        await using var last = await ServerProcess.StartAsync(data, settings: settings);

        await Poll.UntilAsync(
            () => ids.IsSubsetOf(receiver.Received.Select(request => JsonElement.Parse(request.Body).Text("runId"))),
            "all 30 events"
        );

        // More than once is possible, under the same id.
        var byRun = receiver.Received.GroupBy(request => JsonElement.Parse(request.Body).Text("runId"));
        Assert.All(byRun, one => Assert.Single(one.Select(request => request.Headers["JobHost-Event-Id"]).Distinct()));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_failure_is_tried_again_until_it_is_enough_and_holds_up_nobody_else()
    {
        var failures = new ConcurrentDictionary<string, int>();
        await using var flaky = await HttpReceiver.StartAsync(
            (request, context) =>
            {
                // Every event fails twice; those that tell of a start always.
                var tries = failures.AddOrUpdate(request.Headers["JobHost-Event-Id"], 1, (_, count) => count + 1);
                var isRefused = JsonElement.Parse(request.Body).Text("type") == "run.running";
                context.Response.StatusCode = isRefused || tries <= 2 ? 503 : 204;
                return Task.CompletedTask;
            }
        );
        var never = new TaskCompletionSource();
        await using var silent = await HttpReceiver.StartAsync(
            (_, context) => never.Task.WaitAsync(context.RequestAborted)
        );
        await using var good = await HttpReceiver.StartAsync();
        var settings = Hook(flaky.Url, events: ["run.*"], name: "flaky", index: 0)
            .Concat(Hook(silent.Url, events: ["run.*"], name: "silent", index: 1))
            .Concat(Hook(good.Url, events: ["run.*"], name: "good", index: 2))
            .ToDictionary();
        await using var server = new InProcessServer(settings);
        await ListensAsync(server.Api);
        var id = (await server.Api.RunAsync("result")).Text("id");

        await ArrivedAsync(good, 3);
        Assert.Single(silent.Received);
        var deliveries = await UntilDeliveredAsync(server.Api, 3, "flaky");

        Assert.Equal(
            [
                ("run.succeeded", "delivered", "3", "204"),
                ("run.running", "failed", "4", "503"),
                ("run.queued", "delivered", "3", "204"),
            ],
            deliveries.Select(one =>
                (one.Text("eventType"), one.Text("state"), one.Text("attempts"), one.Text("status"))
            )
        );
        Assert.Equal([3, 4, 3], failures.OrderBy(pair => long.Parse(pair.Key)).Select(pair => pair.Value));
        Assert.All(flaky.Received, request => Assert.Equal(SignatureOf(request), request.Headers["JobHost-Signature"]));
        // A receiver that does not answer at all is given up on, too.
        await Poll.UntilAsync(
            async () =>
                (await DeliveriesAsync(server.Api, "silent")) is [.., var oldest]
                && oldest.Text("problem").Contains("within 10 s", StringComparison.Ordinal)
                    ? null
                    : "it waits",
            "the bound of an answer"
        );
        Assert.Equal(id, (await server.Api.GetRunAsync(id)).Text("id"));
        never.SetResult();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_redirect_is_not_followed()
    {
        await using var target = await HttpReceiver.StartAsync();
        await using var receiver = await HttpReceiver.StartAsync(
            (_, context) =>
            {
                context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
                context.Response.Headers.Location = target.Url;
                return Task.CompletedTask;
            }
        );
        await using var server = new InProcessServer(Hook(receiver.Url, events: ["run.succeeded"]));
        await ListensAsync(server.Api);

        await server.Api.RunAsync("result");

        var delivery = Assert.Single(await UntilDeliveredAsync(server.Api, 1));
        Assert.Equal(
            ("failed", "307", "4"),
            (delivery.Text("state"), delivery.Text("status"), delivery.Text("attempts"))
        );
        Assert.Empty(target.Received);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_name_that_means_an_address_of_this_machine_is_not_connected_to()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        var url = new UriBuilder(receiver.Url) { Host = "localhost" }.ToString();
        await using var server = new InProcessServer(Hook(url, events: ["run.succeeded"], allowPrivate: false));
        await ListensAsync(server.Api);

        await server.Api.RunAsync("result");

        var delivery = Assert.Single(await UntilDeliveredAsync(server.Api, 1));
        Assert.Equal("failed", delivery.Text("state"));
        Assert.Contains(
            "'localhost' has no address of the public internet",
            delivery.Text("problem"),
            StringComparison.Ordinal
        );
        Assert.Empty(receiver.Received);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_secret_is_shown_to_nobody_and_written_nowhere()
    {
        await using var receiver = await HttpReceiver.StartAsync(
            (_, context) =>
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }
        );
        await using var server = await ServerProcess.StartAsync(
            settings: Arguments(Hook(receiver.Url + "/path-is-secret", events: ["run.succeeded"]))
        );
        await ListensAsync(server.Api);
        await server.Api.RunAsync("result");
        await UntilDeliveredAsync(server.Api, 1);

        var hooks = (await server.Api.FetchAsync(Hooks)).Text;
        var deliveries = (await server.Api.FetchAsync($"{Hooks}/hook/deliveries")).Text;
        Assert.Equal(0, await server.TerminateAsync());

        var written = Directory
            .EnumerateFiles(server.DataDirectory, "*", SearchOption.AllDirectories)
            .Select(File.ReadAllBytes)
            .Append(Encoding.UTF8.GetBytes(server.Output + hooks + deliveries))
            .ToList();
        Assert.Contains("was not told of event", server.Output, StringComparison.Ordinal);
        foreach (var secret in new[] { Secret, "path-is-secret" })
        {
            Assert.All(
                written,
                bytes => Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, secret)
            );
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("Url", "ftp://example.org/", "https://")]
    [InlineData("Url", "example.org", "Url must be")]
    [InlineData("Url", "https://user:word@example.org/", "user or a password")]
    [InlineData("Url", "http://127.0.0.1/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://2130706433/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://10.1.2.3/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://172.31.255.255/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://192.168.0.1/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://100.64.0.1/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://169.254.169.254/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://224.0.0.1/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://0.0.0.0/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[::1]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[::ffff:8.8.8.8]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[::ffff:32.1.2.3]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[fe80::1]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[fd00::1]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[ff02::1]/", "AllowPrivateNetworks")]
    [InlineData("Url", "http://[64:ff9b::7f00:1]/", "AllowPrivateNetworks")]
    [InlineData("Name", "Has Spaces", "Name must be")]
    [InlineData("Secret", "short", "16 characters")]
    [InlineData("Events:0", "run.suceeded", "there is no event 'run.suceeded'")]
    [InlineData("Jobs:0", "none", "no job is called 'none'")]
    [InlineData("MaxAttempts", "0", "1 to 20")]
    [InlineData("Evnts:0", "run.failed", "Evnts")]
    public async Task A_webhook_that_cannot_be_meant_is_refused_in_plain_words(string key, string value, string words)
    {
        var settings = Hook("https://example.org/hook", allowPrivate: false);
        settings[$"JobHost:Webhooks:0:{key}"] = value;

        var (exitCode, output) = await ServerProcess.RunAsync(arguments: Arguments(settings));

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains("JobHost:Webhooks", output, StringComparison.Ordinal);
        Assert.Contains(words, output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Hook(
        string url,
        string[]? events = null,
        string[]? jobs = null,
        bool allowPrivate = true,
        string name = "hook",
        int index = 0
    )
    {
        var key = $"JobHost:Webhooks:{index}";
        var settings = new Dictionary<string, string>
        {
            [$"{key}:Name"] = name,
            [$"{key}:Url"] = url,
            [$"{key}:Secret"] = Secret,
            [$"{key}:AllowPrivateNetworks"] = $"{allowPrivate}",
            [$"{key}:MaxAttempts"] = "4",
            [$"{key}:InitialDelay"] = "00:00:00.020",
        };
        foreach (var (list, values) in new[] { ("Events", events), ("Jobs", jobs) })
        {
            for (var i = 0; i < values?.Length; i++)
            {
                settings[$"{key}:{list}:{i}"] = values[i];
            }
        }
        return settings;
    }

    private static string[] Arguments(Dictionary<string, string> settings) =>
        [.. settings.Select(pair => $"--{pair.Key}={pair.Value}")];

    private static string SignatureOf(ReceivedRequest request)
    {
        var signed = $"{request.Headers["JobHost-Timestamp"]}.{Encoding.UTF8.GetString(request.Body)}";
        var hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(signed));
        return $"v1={Convert.ToHexStringLower(hash)}";
    }

    /// <summary>A webhook that is new begins with what happens from then on, which is not before it has begun.</summary>
    private static Task ListensAsync(ApiClient api) =>
        Poll.UntilAsync(
            async () =>
                (await api.FetchAsync(Hooks))
                    .Expect(200)
                    .GetProperty("items")
                    .EnumerateArray()
                    .All(hook => hook.Text("position") == hook.Text("newestEvent"))
                    ? null
                    : "one is behind",
            "the webhooks to begin"
        );

    private static Task ArrivedAsync(HttpReceiver receiver, int count) =>
        Poll.UntilAsync(() => receiver.Received.Count >= count, $"{count} events to arrive");

    private static async Task<List<JsonElement>> DeliveriesAsync(ApiClient api, string name = "hook") =>
        [.. (await api.FetchAsync($"{Hooks}/{name}/deliveries")).Expect(200).GetProperty("items").EnumerateArray()];

    private static async Task<List<JsonElement>> UntilDeliveredAsync(ApiClient api, int count, string name = "hook")
    {
        var deliveries = new List<JsonElement>();
        await Poll.UntilAsync(
            async () =>
            {
                deliveries = await DeliveriesAsync(api, name);
                return deliveries.Count >= count && deliveries.TrueForAll(one => one.Text("state") != "retrying")
                    ? null
                    : string.Join('\n', deliveries);
            },
            $"{count} deliveries to be over"
        );
        return deliveries;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

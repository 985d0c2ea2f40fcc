using System.Text;
using System.Text.Json;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// A fresh reader of all that a server leaves finds nothing of a secret: not of those that commands get, whatever these do with
/// them, and not of the server's own.
/// </summary>
public sealed class SecretsTests
{
    private const int StartMeAgain = 75;
    private const string Registered = "Hunter2+must/not\"leak";
    private const string FromFile = "MIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBKcw\n";
    private const string Connection = "Host=db;Password=Connection-must-not-leak";
    private const string Hook = "Webhook-must-not-leak";
    private const string Key = "jh_key-must-not-leak-0123456789";

    [Fact(Timeout = 180_000)]
    public async Task Nothing_of_a_secret_is_left_anywhere()
    {
        Needs.Linux();
        var data = ServerProcess.NewDataDirectory();
        Directory.CreateDirectory(data);
        var file = Path.Combine(Leaks.Folder, $"secret-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, FromFile, ApiClient.Token);
        await using var receiver = await HttpReceiver.StartAsync(
            (_, context) =>
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }
        );
        var otlp = await HttpReceiver.StartAsync();
        await using var collector = otlp;
        await using var server = await ServerProcess.StartAsync(
            new Dictionary<string, string>
            {
                ["APP_PASSWORD"] = Registered,
                ["ConnectionStrings__JobHost"] = Connection,
                ["JobHost__Secrets__password__Environment"] = "APP_PASSWORD",
                ["JobHost__Secrets__key__File"] = file,
                ["JobHost__Commands__leaks__File"] = "/bin/sh",
                ["JobHost__Commands__leaks__Arguments__0"] = "-c",
                ["JobHost__Commands__leaks__Arguments__1"] = """
                echo "out $PASSWORD"; echo "err $PASSWORD" >&2; printf %s "$PASSWORD" | cut -c1-9 | tr -d '\n'
                printf %s "$PASSWORD" | cut -c10-; echo "$PRIVATE" | sed 's/^/> /'
                exec "$1" "$PASSWORD" "$2"
                """,
                ["JobHost__Commands__leaks__Arguments__2"] = "sh",
                ["JobHost__Commands__leaks__Arguments__3"] = "{program}",
                ["JobHost__Commands__leaks__Arguments__4"] = "{argument}",
                ["JobHost__Commands__leaks__Parameters__program__Default"] = "/bin/false",
                ["JobHost__Commands__leaks__Parameters__argument__Default"] = "x",
                ["JobHost__Commands__leaks__Secrets__PASSWORD"] = "password",
                ["JobHost__Commands__leaks__Secrets__PRIVATE"] = "key",
                ["JobHost__Security__Keys__0__Name"] = "admin",
                ["JobHost__Security__Keys__0__Role"] = "admin",
                ["JobHost__Security__Keys__0__Hash"] = ApiKey.HashOf(Key),
                ["JobHost__Webhooks__0__Name"] = "hook",
                ["JobHost__Webhooks__0__Url"] = receiver.Url,
                ["JobHost__Webhooks__0__Secret"] = Hook,
                ["JobHost__Webhooks__0__AllowPrivateNetworks"] = "true",
                ["JobHost__Telemetry__Otlp__Endpoint"] = otlp.Url,
            },
            data
        );
        var api = server.Api;
        api.Client.DefaultRequestHeaders.Add("X-Api-Key", Key);

        var failed = await api.RunAsync("leaks");
        var id = failed.Text("id");
        Assert.Equal("failed", failed.Text("state"));
        var output = await api.LogAsync(id, "stdout");
        Assert.Equal("out ***\n***\n> ***\n> ***\n", output);
        Assert.Equal("err ***\n", await api.LogAsync(id, "stderr"));
        // Code of the host that has a secret lets it out in every way that it has.
        foreach (var job in new[] { "lets-out", "lane-lets-out", "p-lets-out" })
        {
            foreach (var how in new[] { "return", "throw" })
            {
                var run = await api.RunAsync(
                    job,
                    new { how, text = Convert.ToBase64String(Encoding.UTF8.GetBytes(Registered)) }
                );
                Assert.Equal(how == "throw" ? "failed" : "succeeded", run.Text("state"));
                Assert.Equal("at ***", run.Text("progress", "message"));
                Assert.Contains("log ***", await api.LogAsync(run.Text("id")), StringComparison.Ordinal);
                Assert.Contains(
                    "***",
                    how == "throw" ? run.Text("error", "message") : run.Text("result", "text"),
                    StringComparison.Ordinal
                );
                Assert.Contains(
                    "say ***",
                    (await api.FetchAsync($"/api/v1/runs/{run.Text("id")}/messages")).Text,
                    StringComparison.Ordinal
                );
            }
        }
        foreach (
            var body in new object[]
            {
                new { parameters = new { argument = $"x{Registered}" } },
                new { uniqueKey = Registered },
                new { labels = new { a = "MIIEvQIBADANBgkqh" } },
            }
        )
        {
            var refused = await api.StartRunAsync("leaks", body);
            refused.ExpectProblem(422, "invalid-parameters");
            Assert.Single(refused.Fields);
        }

        var sleeping = await api.StartAsync("leaks", new { program = "/usr/bin/env", argument = "sleep" });
        await api.EndAsync(sleeping);
        var worker = await api.StartAsync("p-obeys", new { seconds = 60 });
        var pid = int.Parse(
            (
                await api.UntilAsync(
                    worker,
                    run => run.GetProperty("processId").ValueKind == JsonValueKind.Number,
                    "a worker"
                )
            ).Text("processId")
        );
        var seen = new List<(string, byte[])>
        {
            ("environment of the worker", await File.ReadAllBytesAsync($"/proc/{pid}/environ", ApiClient.Token)),
            ("arguments of the worker", await File.ReadAllBytesAsync($"/proc/{pid}/cmdline", ApiClient.Token)),
            ("arguments of the server", await File.ReadAllBytesAsync($"/proc/{server.Pid}/cmdline", ApiClient.Token)),
            (
                "environment of the keeper",
                await File.ReadAllBytesAsync($"/proc/{ProcessScan.KeeperOf(server.Pid)}/environ", ApiClient.Token)
            ),
        };
        var knows = new { reason = $"it knows {Registered}" };
        var deaf = new Witness();
        var stuck = await api.StartAsync(
            "ignores",
            new { marker = deaf.Marker, release = deaf.Release },
            new { ladder = Ladders.Asking }
        );
        await deaf.BeatsAsync();
        await api.SubmitAsync($"/api/v1/runs/{stuck}/kill", knows);
        await api.UntilAsync(stuck, "stuck");
        (await api.SubmitAsync($"/api/v1/runs/{stuck}/release", knows)).Expect(200);
        var schedule = """{ "job": "obeys", "cron": "0 0 1 1 *" }""";
        (await api.CallAsync(HttpMethod.Put, "/api/v1/schedules/yearly", schedule)).Expect(201);
        var node = (await api.FetchAsync("/api/v1/nodes")).Expect(200).GetProperty("items")[0].Text("name");
        foreach (var held in new[] { "schedules/yearly/pause", "jobs/obeys/pause", $"nodes/{node}/drain" })
        {
            (await api.SubmitAsync($"/api/v1/{held}", knows)).Expect(200);
        }
        await api.SubmitAsync($"/api/v1/runs/{worker}/kill", knows);
        await api.EndAsync(worker);
        (await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", $"{Key}x"))).ExpectProblem(401);
        foreach (
            var path in new[]
            {
                "/metrics",
                "/openapi/v1.json",
                "/api/v1/jobs",
                "/api/v1/jobs/leaks",
                "/api/v1/runs?pageSize=100",
                $"/api/v1/runs/{id}/termination",
                $"/api/v1/runs/{worker}/termination",
                $"/api/v1/runs/{stuck}/termination",
                "/api/v1/events?pageSize=500",
                "/api/v1/audit",
                "/api/v1/webhooks",
                "/api/v1/webhooks/hook/deliveries",
                "/api/v1/nodes",
                "/api/v1/schedules",
            }
        )
        {
            seen.Add((path, Encoding.UTF8.GetBytes((await api.FetchAsync(path)).Text)));
        }
        // The write-ahead log of the database is still there, and gone after the end.
        seen.AddRange(Files(server.DataDirectory));
        Assert.Contains(seen, one => one.Item1.EndsWith("-wal", StringComparison.Ordinal));
        var recycle = await api.SubmitAsync($"/api/v1/nodes/{node}/recycle", knows);
        seen.Add(("recycle", Encoding.UTF8.GetBytes(recycle.Expect(202).ToString())));
        var exit = await server.ExitAsync();
        Assert.True(exit == StartMeAgain, $"It exited with {exit}: {server.Output}");
        seen.AddRange(Files(server.DataDirectory));
        seen.Add(("console", Encoding.UTF8.GetBytes(server.Output)));
        seen.AddRange(otlp.Received.Select(request => ($"OTLP {request.Path}", request.Body)));
        Assert.Contains(seen, one => one.Item1.StartsWith("OTLP", StringComparison.Ordinal));

        foreach (
            var secret in new[]
            {
                Registered,
                "Hunter2+must",
                "Hunter2\\u002Bmust",
                "MIIEvQIBADANBgkqh",
                "kiG9w0BAQEFAASCBKcw",
                "Connection-must-not-leak",
                Hook,
                Key,
            }
        )
        {
            var bytes = Encoding.UTF8.GetBytes(secret);
            Assert.All(seen, one => Assert.True(one.Item2.AsSpan().IndexOf(bytes) < 0, $"{secret} is in {one.Item1}"));
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("JobHost:Secrets:db:Value=Hunter2-must-not-leak", "JobHost:Secrets:db")]
    [InlineData("JobHost:Secrets:db:Environment=NO_SUCH_VARIABLE", "JobHost:Secrets:db")]
    [InlineData("JobHost:Commands:bad:Secrets:PASSWORD=none", "JobHost:Commands:bad:Secrets:PASSWORD")]
    public async Task A_secret_that_cannot_be_meant_refuses_the_start(string setting, string key)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            arguments: ["--JobHost:Commands:bad:File=/bin/true", $"--{setting}"]
        );

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains(key, output, StringComparison.Ordinal);
        Assert.DoesNotContain("Hunter2", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private static List<(string, byte[])> Files(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                // Held by the server, and empty.
                .Where(path => Path.GetFileName(path) != "lock")
                .Select(path =>
                {
                    using var file = new FileStream(
                        path,
                        FileMode.Open,
                        FileAccess.Read,
                        FileShare.ReadWrite | FileShare.Delete
                    );
                    using var copy = new MemoryStream();
                    file.CopyTo(copy);
                    return (path, copy.ToArray());
                }),
        ];
}

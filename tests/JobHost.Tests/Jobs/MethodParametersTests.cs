using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using JobHost.Tests.Support;
using JobHost.Worker.Bodies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace JobHost.Tests.Jobs;

/// <summary>Parameters that a method takes by name.</summary>
[SuppressMessage("Performance", "CA1822", Justification = "Methods of jobs may be of an instance.")]
public sealed class MethodParametersTests
{
    private delegate string Everything(
        [Description("Whom.")] [StringLength(5)] string name,
        int count = 2,
        string? note = null,
        int? limit = null,
        Mode mode = Mode.SlowMode,
        Mode? maybe = Mode.SlowMode,
        TimeSpan pause = default,
        string[]? items = null
    );

    private static readonly JobBody Body = Some.Body(
        (Everything)(
            (
                [Description("Whom.")] [StringLength(5)] string name,
                int count = 2,
                string? note = null,
                int? limit = null,
                Mode mode = Mode.SlowMode,
                Mode? maybe = Mode.SlowMode,
                TimeSpan pause = default,
                string[]? items = null
            ) => $"{name} {count} {note} {limit} {mode} {maybe} {pause} {items?.Length}"
        )
    );

    [Theory]
    [InlineData("""{"name":"a"}""", "a 2   SlowMode SlowMode 00:00:00 ")]
    [InlineData(
        """{"name":"a","count":1,"note":"n","limit":7,"mode":"fastMode","maybe":null,"pause":"00:00:05","items":["x"]}""",
        "a 1 n 7 FastMode  00:00:05 1"
    )]
    public async Task A_method_gets_its_values_by_name_and_its_defaults(string json, string result) =>
        Assert.Equal(result, await RunAsync(Body, json));

    [Theory]
    [InlineData("{}", "name")]
    [InlineData("[]", "")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"name":5}""", "name")]
    [InlineData("""{"name":"too long"}""", "name")]
    [InlineData("""{"name":"a","nope":1,"Name":"a"}""", "Name,nope")]
    [InlineData("""{"name":"a","name":"b"}""", "name")]
    [InlineData("""{"name":"a","count":null}""", "count")]
    [InlineData("""{"name":"a","count":"1"}""", "count")]
    [InlineData("""{"name":"a","count":1e30}""", "count")]
    [InlineData("""{"name":"a","limit":"x"}""", "limit")]
    [InlineData("""{"name":"a","mode":0}""", "mode")]
    [InlineData("""{"name":"a","mode":null}""", "mode")]
    [InlineData("""{"name":"a","pause":"soon"}""", "pause")]
    [InlineData("""{"name":"a","items":["x",1]}""", "items[1]")]
    [InlineData("""{"name":"\ud800"}""", "name")]
    public void A_bad_value_is_refused_by_the_name_of_its_parameter(string json, string fields) =>
        Assert.Equal(fields, string.Join(',', Errors(Body, json).Keys));

    [Fact]
    public void A_name_that_is_no_text_is_refused() => Assert.NotEmpty(Errors(Body, """{"name":"a","\ud800":1}"""));

    [Fact]
    public void A_value_is_complained_of_once() =>
        Assert.All(Errors(Body, """{"name":5,"count":"x"}""").Values, messages => Assert.Single(messages));

    [Fact]
    public void The_schema_says_what_the_method_says()
    {
        var schema = Body.ParametersSchema;
        Assert.Equal("object", schema["type"]!.GetValue<string>());
        Assert.False(schema["additionalProperties"]!.GetValue<bool>());
        Assert.Equal(["name"], schema["required"]!.AsArray().Select(name => name!.GetValue<string>()));
        var properties = schema["properties"]!;
        Assert.Equal("string", properties["name"]!["type"]!.GetValue<string>());
        Assert.Equal("Whom.", properties["name"]!["description"]!.GetValue<string>());
        Assert.Equal(5, properties["name"]!["maxLength"]!.GetValue<int>());
        Assert.Equal("integer", properties["count"]!["type"]!.GetValue<string>());
        Assert.Equal(2, properties["count"]!["default"]!.GetValue<int>());
        Assert.Equal("slowMode", properties["mode"]!["default"]!.GetValue<string>());
        Assert.Equal("slowMode", properties["maybe"]!["default"]!.GetValue<string>());
        Assert.Contains("null", properties["note"]!["type"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("null", properties["limit"]!["type"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("default", properties["name"]!.AsObject().Select(pair => pair.Key));
    }

    [Fact(Timeout = 30000)]
    public async Task Context_token_logger_and_services_are_no_parameters()
    {
        var body = Some.Body(
            (JobContext context, CancellationToken token, ILogger logger, Greeter greeter, string name) =>
                context.StopToken == token && logger == context.Logger ? greeter.Greet(name) : "wrong",
            services => services.AddSingleton<Greeter>()
        );
        Assert.Equal(["name"], body.ParametersSchema["properties"]!.AsObject().Select(pair => pair.Key));
        Assert.Equal("Hello Ann", await RunAsync(body, """{"name":"Ann"}"""));
    }

    [Fact(Timeout = 30000)]
    public async Task A_method_may_take_all_parameters_in_one_record()
    {
        var body = Some.Body((Point point) => point.X + point.Y);
        Assert.Equal(3, await RunAsync(body, """{"x":1,"y":2}"""));
        Assert.Equal(["y"], Errors(body, """{"x":1,"y":99}""").Keys);
    }

    [Fact(Timeout = 30000)]
    public async Task A_method_without_parameters_takes_an_empty_object_only()
    {
        var body = Some.Body(() => 1);
        Assert.Equal(1, await RunAsync(body, "{}"));
        Assert.Equal(["x"], Errors(body, """{"x":1}""").Keys);
        Assert.Equal(
            """{"type":"object","properties":{},"additionalProperties":false}""",
            body.ParametersSchema.ToJsonString()
        );
    }

    [Fact(Timeout = 30000)]
    public async Task Every_way_to_return_is_understood()
    {
        Assert.Null(await RunAsync(Some.Body(() => Task.CompletedTask), "{}"));
        Assert.Null(await RunAsync(Some.Body(async () => await Task.Yield()), "{}"));
        Assert.Null(await RunAsync(Some.Body(() => ValueTask.CompletedTask), "{}"));
        Assert.Null(await RunAsync(Some.Body(() => { }), "{}"));
        Assert.Equal(5, await RunAsync(Some.Body(() => 5), "{}"));
        Assert.Equal(5, await RunAsync(Some.Body(() => ValueTask.FromResult(5)), "{}"));
        Assert.Equal(5, await RunAsync(Some.Body(() => Task.FromResult<object?>(5)), "{}"));
        var late = async () =>
        {
            await Task.Yield();
            return new Point(1, 2);
        };
        Assert.Equal(new Point(1, 2), await RunAsync(Some.Body(late), "{}"));
        Assert.Equal("static", await RunAsync(Some.Body(Static), "{}"));
        Assert.Equal("instance", await RunAsync(Some.Body(Instance), "{}"));
    }

    [Fact(Timeout = 30000)]
    public async Task What_a_method_throws_is_what_the_host_catches()
    {
        await Assert.ThrowsAsync<TimeoutException>(() =>
            RunAsync(Some.Body((Func<int>)(() => throw new TimeoutException())), "{}")
        );
        await Assert.ThrowsAsync<TimeoutException>(() =>
            RunAsync(Some.Body((Func<Task>)(() => Task.FromException(new TimeoutException()))), "{}")
        );
    }

    [Fact]
    public void A_parameter_that_nothing_can_fill_is_refused_by_name()
    {
        var problem = Assert.Throws<JobConfigurationException>(() => Some.Body((IComparable thing) => 1));
        Assert.Contains("'job'", problem.Message, StringComparison.Ordinal);
        Assert.Contains("'thing'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_records_or_a_record_beside_a_value_are_refused()
    {
        Assert.Throws<JobConfigurationException>(() => Some.Body((Point one, Point two) => 1));
        var problem = Assert.Throws<JobConfigurationException>(() => Some.Body((Point point, int extra) => 1));
        Assert.Contains("'point'", problem.Message, StringComparison.Ordinal);
        Assert.Contains("'extra'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_that_are_no_object_are_refused_at_registration()
    {
        Assert.Throws<JobConfigurationException>(() => Some.Body((List<string> names) => names.Count));
        Assert.Throws<JobConfigurationException>(() => Some.Body<CountingJob>());
    }

    private static string Static() => "static";

    private string Instance() => "instance";

    private static async Task<object?> RunAsync(JobBody body, string json)
    {
        await using var services = new ServiceCollection().AddRunScope().AddSingleton<Greeter>().BuildServiceProvider();
        await using var scope = services.CreateAsyncScope();
        var parameters = body.ReadParameters(Some.Json(json), out var errors);
        Assert.Empty(errors);
        return await body.RunAsync(
            scope.ServiceProvider,
            parameters,
            Some.Context(Some.QueuedRun(), TimeProvider.System)
        );
    }

    private static IReadOnlyDictionary<string, string[]> Errors(JobBody body, string json)
    {
        Assert.Null(body.ReadParameters(JsonDocument.Parse(json).RootElement, out var errors));
        return errors;
    }

    private enum Mode
    {
        FastMode,
        SlowMode,
    }

    private sealed record Point(int X, [Range(0, 10)] int Y);

    private sealed class Greeter
    {
        internal string Greet(string name) => $"Hello {name}";
    }

    private sealed class CountingJob : IJob<int>
    {
        public Task<object?> RunAsync(int parameters, JobContext context, CancellationToken cancellationToken) =>
            Task.FromResult<object?>(parameters);
    }
}
